#include "hypervisor/template/make_template.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/devices/interfaces.h"
#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/preflight.h"
#include "hypervisor/save/migration.h"
#include "hypervisor/template/agent_channel.h"
#include "hypervisor/template/template_files.h"
#include "os/command.h"
#include "os/file_copy.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kWorkPrefix = ".vprov-template-";
constexpr unsigned kLastSlot = 31;  // Change::free_slot() counts down from here, and so do a clone's cards

// By QEMU's own tool, which notices by the locks on the file when a guest writes to it.
void copy_disk(const GuestDisk& disk, const fs::path& to) {
    os::Command command;
    command.argv = {"qemu-img", "convert", "-f",        std::string(name_in(kFormatNames, disk.format)),
                    "-O",       "raw",     disk.target, to.native()};
    command.environment = os::clean_environment();
    os::SystemCommandRunner runner;
    os::run_or_fail({ErrorKind::hypervisor, "qemu-utils", fmt::format("cannot copy the disk {}", quote(disk.target))},
                    command, runner);
}

class TemplateMaker {
  public:
    TemplateMaker(const Domains& domains, const Guest& guest, const TemplateOptions& options, fs::path work)
        : domains_(domains), options_(options), guest_(guest), work_(std::move(work)) {}

    ~TemplateMaker() {
        if (!operation_ && !os::stop_requested())  // which may have come while it was started
            return;
        try {
            os::forget_stop();
            operation_.reset();
            domains_.wait_until_gone(guest_.name, 15s);
        } catch (const Error&) {
            return;  // 'vprov list' shows it
        }
    }
    TemplateMaker(const TemplateMaker&) = delete;
    TemplateMaker& operator=(const TemplateMaker&) = delete;

    std::vector<std::string> run() {
        copy_files();
        place_cards();
        auto agent = boot();
        freeze(agent);
        for (const auto& entry : fs::directory_iterator(work_)) ::chmod(entry.path().c_str(), 0400);
        return std::move(warnings_);
    }

  private:
    void say(std::string_view stage) const {
        if (options_.on_stage)
            options_.on_stage(stage);
    }

    void copy_files() {
        say("copying its disks");
        kept_ = guest_;
        for (std::size_t i = 0; i < guest_.disks.size(); ++i) {
            auto& disk = guest_.disks[i];
            if (!disk.writable || disk.cdrom || disk.target.empty())
                continue;
            const auto name = fmt::format("disk{}", i);
            check_unused(disk);
            copy_disk(disk, work_ / name);
            disk.target = (work_ / name).native();
            disk.format = DiskFormat::raw;
            kept_.disks[i].target = name;
            kept_.disks[i].format = DiskFormat::raw;
        }
        copy_one(guest_.kernel, kept_.kernel, "kernel");
        copy_one(guest_.ramdisk, kept_.ramdisk, "ramdisk");
    }

    void check_unused(const GuestDisk& disk) const {
        for (const auto& name : domains_.state().names())
            if (const auto record = domains_.state().read(name);
                record && is_alive(record->qemu) &&
                std::ranges::find(record->disks, disk.target) != record->disks.end())
                throw error(ErrorKind::hypervisor, "its disk {} is in use by the domain {}", quote(disk.target),
                            quote(name));
    }

    void copy_one(std::string& used, std::string& kept, const std::string& name) const {
        if (used.empty())
            return;
        os::copy_file(used, work_ / name, 0600);
        used = (work_ / name).native();
        kept = name;
    }

    // Each where a clone gets its own.
    void place_cards() {
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i) {
            auto& interface = guest_.interfaces[i];
            interface.mac = interface_mac(guest_, i);
            interface.other["devid"] = std::to_string(i);
            interface.pci_slot = kLastSlot - static_cast<unsigned>(i);
            notes_.cards.push_back({interface.mac, interface.pci_slot});
        }
        kept_.interfaces = guest_.interfaces;
    }

    AgentChannel boot() {
        say("booting it");
        auto creation = options_.creation;
        creation.memory_file = true;
        auto booting = domains_.create_on_trial(guest_, creation, "template");
        operation_ = std::move(booting.operation);
        warnings_ = std::move(booting.created.warnings);
        operation_->try_run();
        if (const auto wait = domains_.wait_for_login(guest_.name, options_.boot_time); !wait.reached)
            throw error(ErrorKind::hypervisor, "it does not come up: {}\n{}", wait.cause, wait.last_lines);
        AgentChannel agent(domains_, guest_.name);
        const auto found = wait_for_agent(agent);
        for (const auto kind : split(found.at("host-keys"), ','))
            if (!kind.empty())
                notes_.host_keys.emplace_back(kind);
        agent.ask("wait-started", {}, options_.boot_time);
        return agent;
    }

    static AgentAnswer wait_for_agent(AgentChannel& agent) {
        try {
            return agent.wait_for_agent(60s);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;
            throw error(ErrorKind::hypervisor, "{}: is it in the guest? ([system] agent = true in its recipe)",
                        e.message());
        }
    }

    void freeze(AgentChannel& agent) {
        say("unplugging its network cards");
        for (const auto& card : notes_.cards) detach_interface(domains_, guest_.name, card.mac, *operation_);
        AgentValues cards;
        for (std::size_t i = 0; i < notes_.cards.size(); ++i)
            cards.emplace_back(fmt::format("card.{}", i),
                               fmt::format("{},{}", notes_.cards[i].mac, notes_.cards[i].slot));
        agent.ask("prepare-template", cards, 120s);
        say("keeping its memory");
        SavedDomain saved;
        {
            auto monitor = domains_.monitor(*operation_);
            stop_guest(monitor);
            keep_state(monitor, saved);
        }
        operation_->finish();
        operation_.reset();
        domains_.wait_until_gone(guest_.name, 15s);
        write_notes(work_, notes_);
    }

    void keep_state(Monitor& monitor, SavedDomain& saved) {
        const auto record = domains_.state().read(guest_.name);
        if (!record)
            throw Error(ErrorKind::hypervisor, "it has ended");
        const auto qemu = query_qemu(monitor);
        saved.qemu = qemu.version;
        saved.machine = qemu.machine;
        saved.engine = record->engine.starts_with("KVM") ? "kvm" : "tcg";
        saved.request.guest = kept_;
        saved.request.engine = saved.engine == "kvm" ? EngineChoice::kvm : EngineChoice::tcg;
        saved.request.sandbox = options_.creation.sandbox;
        saved.request.template_memory = kTemplateMemory;
        const auto file = os::open_file(work_ / kTemplateState, O_RDWR | O_CREAT | O_EXCL, 0600);
        const auto offset = stream_offset(saved.request, kept_.disks.size() + 3);
        if (::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
            throw system_error(ErrorKind::disk, errno, "cannot write the guest's state");
        choose_stream(monitor, StateStream::devices, StreamEnd::source);
        begin_sending(monitor, file, StateStream::devices);
        wait_until_kept(monitor, file);
        write_memory_file(GuestRam::of_other(record->ram), work_ / kTemplateMemory);
        saved.saved = ::time(nullptr);
        saved.files = identities();
        write_header(file, offset, saved);
    }

    // QEMU (7.2) does not say what has ended a stream of devices alone: the same happens to a write of our own.
    static void wait_until_kept(Monitor& monitor, const os::Fd& file) {
        try {
            wait_until_sent(monitor);
        } catch (const Error& e) {
            constexpr std::size_t kEnough = 64 << 10;
            if (e.kind() != ErrorKind::interrupted)
                os::write_at(file, std::string(kEnough, '\0'),
                             static_cast<std::uint64_t>(::lseek(file.get(), 0, SEEK_END)), "the guest's state");
            throw;
        }
    }

    // By the names that they keep.
    std::vector<FileIdentity> identities() const {
        std::vector<FileIdentity> files;
        const auto add = [&](const std::string& name) {
            if (name.empty())
                return;
            files.push_back(identify_file(name.front() == '/' ? fs::path(name) : work_ / name));
            files.back().path = name;
        };
        for (const auto& disk : kept_.disks) add(disk.target);
        for (const auto& name : {kept_.kernel, kept_.ramdisk, std::string(kTemplateMemory)}) add(name);
        return files;
    }

    const Domains& domains_;
    const TemplateOptions& options_;
    Guest guest_, kept_;
    fs::path work_;
    TemplateNotes notes_;
    std::vector<std::string> warnings_;
    std::optional<Operation> operation_;  // while the guest runs, which ends with it
};

}  // namespace

MadeTemplate make_template(const Domains& domains, const Guest& guest, const fs::path& directory,
                           const TemplateOptions& options) {
    try {
        if (!guest.agent)
            throw Error(ErrorKind::hypervisor,
                        "its configuration has no agent (vprov_agent=1; [system] agent = true in a recipe gives the "
                        "guest one)");
        const auto target = fs::absolute(directory).lexically_normal();
        if (fs::exists(target))
            throw error(ErrorKind::hypervisor, "{} is there already", quote(directory.native()));
        auto prepared = prepare_guest(guest, options.creation.folder);
        const auto parent = target.has_filename() ? target.parent_path() : target.parent_path().parent_path();
        os::TempDir::remove_stale(parent, kWorkPrefix);
        const os::TempDir work(parent, kWorkPrefix);
        const auto inner = work.path() / "template";
        if (::mkdir(inner.c_str(), 0700) != 0)
            throw system_error(ErrorKind::disk, errno, fmt::format("cannot make {}", quote(inner.native())));
        MadeTemplate made{target, 0, std::move(prepared.warnings)};
        {
            TemplateMaker maker(domains, prepared.guest, options, inner);
            for (auto& warning : maker.run()) made.warnings.push_back(std::move(warning));
        }
        struct stat status {};
        if (::stat((inner / kTemplateMemory).c_str(), &status) == 0)
            made.memory_bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
        fs::rename(inner, target);
        return made;
    } catch (const fs::filesystem_error& e) {
        throw error(ErrorKind::disk, "cannot make a template of {}: {}", quote(guest.name), e.code().message());
    } catch (Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            e.add_context(fmt::format("cannot make a template of {}", quote(guest.name)));
        throw;
    }
}

}  // namespace vprov::hypervisor
