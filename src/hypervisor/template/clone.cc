#include "hypervisor/template/clone.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "config-render/host_key_pair.h"
#include "hypervisor/devices/interfaces.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/save/migration.h"
#include "hypervisor/template/agent_channel.h"
#include "os/interrupt.h"
#include "os/random.h"
#include "os/temp_dir.h"
#include "partition/image/overlay.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPatience = 60s;  // for a step of the agent

std::string time_now() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return fmt::format("{}.{:09}", now.tv_sec, now.tv_nsec);
}

// The clone's directory, which goes with it when it does not come to be.
class CloneDirectory {
  public:
    explicit CloneDirectory(fs::path path) : path_(std::move(path)) {
        if (::mkdir(path_.c_str(), 0755) != 0)
            throw system_error(ErrorKind::disk, errno, fmt::format("cannot make {}", quote(path_.native())));
    }
    ~CloneDirectory() {
        if (!is_kept_)
            os::remove_tree(path_);
    }
    CloneDirectory(const CloneDirectory&) = delete;
    CloneDirectory& operator=(const CloneDirectory&) = delete;
    void keep() { is_kept_ = true; }

  private:
    fs::path path_;
    bool is_kept_ = false;
};

class Cloning {
  public:
    Cloning(const Domains& domains, const OpenedTemplate& from, Guest guest, fs::path directory,
            const CloneOptions& options)
        : domains_(domains),
          from_(from),
          guest_(std::move(guest)),
          directory_(std::move(directory)),
          options_(options) {
        for (const auto& name : from_.notes.host_keys)
            if (const auto kind = render::key_algorithm(name))
                keys_.push_back({name, std::make_unique<render::EarlyHostKey>(*kind, render::PrivateKeyFormat::openssh,
                                                                              "root@" + hostname(),
                                                                              render::EarlyHostKey::Haste::now)});
    }

    CloneResult run() {
        CloneDirectory directory(directory_);
        make_disks();
        result_.configuration = directory_ / (guest_.name + ".cfg");
        os::write_file(result_.configuration, write_xl_cfg(guest_), 0600);
        bool is_there = false;
        try {
            auto clone = create();
            is_there = true;
            result_.domain = std::move(clone.created);
            bring_up(std::move(clone.operation));
        } catch (const Error& e) {
            if (is_there || e.kind() == ErrorKind::interrupted)
                wait_for_end();
            throw;
        }
        directory.keep();
        result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        return std::move(result_);
    }

  private:
    void bring_up(Operation operation) {
        load(operation);
        for (const auto& interface : guest_.interfaces)
            for (auto& warning : attach_interface(domains_, guest_.name, interface, operation))
                result_.domain.warnings.push_back(std::move(warning));
        AgentChannel agent(domains_, guest_.name);
        send_identity(agent);
        operation.try_run();
        give_the_rest(agent);
        agent.ask("settle", {}, kPatience);  // before it may stay: nobody would let sshd go on if this process died
        operation.done();
    }

    // Its supervisor ends it, for the operation was dropped.
    void wait_for_end() const {
        try {
            os::forget_stop();
            domains_.list();  // whose supervisor has died gets another, which ends it
            domains_.wait_until_gone(guest_.name, 15s);
        } catch (const Error&) {
            return;  // 'vprov list' shows it
        }
    }

    const std::string& hostname() const { return options_.hostname.empty() ? guest_.name : options_.hostname; }

    void make_disks() {
        for (std::size_t i = 0; i < guest_.disks.size(); ++i) {
            auto& disk = guest_.disks[i];
            const auto& base = from_.saved.request.guest.disks[i].target;
            if (!disk.writable || disk.cdrom || disk.target.empty())
                continue;
            const auto file = directory_ / fmt::format("disk{}.qcow2", i);
            partition::Overlay(base).save(file, base);
            disk.target = file.native();
            disk.format = DiskFormat::qcow2;
        }
    }

    // Its cards come when the state is loaded, which would give them the template's addresses.
    Provisional create() const {
        CreateOptions creation;
        creation.executable = options_.executable;
        creation.engine = from_.saved.request.engine;
        creation.folder = "/";
        creation.sandbox = from_.saved.request.sandbox;
        Arrival arrival;
        arrival.template_memory = from_.saved.request.template_memory;
        auto begun = guest_;
        begun.interfaces.clear();
        return domains_.create_incoming(begun, creation, arrival, "create");
    }

    void load(Operation& operation) const {
        auto monitor = domains_.monitor(operation);
        const auto now = query_qemu(monitor);
        const auto& then = from_.saved;
        if (now.version != then.qemu || now.machine != then.machine)
            throw error(ErrorKind::hypervisor, "it was made by QEMU {} ({}), and this is QEMU {} ({})", then.qemu,
                        then.machine, now.version, now.machine);
        choose_stream(monitor, StateStream::devices, StreamEnd::target);
        begin_loading(monitor, from_.state);
        wait_until_loaded(monitor, StateStream::devices);
    }

    // All that the guest does as soon as it runs. Its cards are there already, and udev waits for start-network.
    void send_identity(AgentChannel& agent) const {
        AgentValues values = {{"entropy", os::random_hex(256)},
                              {"time", time_now()},
                              {"machine-id", os::random_hex(16)},
                              {"boot-id", os::random_uuid()},
                              {"hostname", hostname()}};
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i)
            values.emplace_back(fmt::format("card.{}", i),
                                fmt::format("{},{}", from_.notes.cards[i].mac, interface_mac(guest_, i)));
        agent.send("set-identity", values);
        if (!options_.address.empty()) {
            values = {{"mac", interface_mac(guest_, 0)}, {"address", options_.address}};
            if (!options_.gateway.empty())
                values.emplace_back("gateway", options_.gateway);
            agent.send("set-address", values);
        }
        agent.send("start-network");
    }

    void give_the_rest(AgentChannel& agent) {
        AgentValues keys;
        for (auto& [name, early] : keys_) {
            const auto pair = early->take();
            keys.emplace_back(fmt::format("key.{}", name), pair.private_key);
            keys.emplace_back(fmt::format("key.{}.pub", name), pair.public_key);
        }
        agent.send("set-identity", keys);
        agent.send("sync");
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i)
            agent.send("wait-card", {{"mac", interface_mac(guest_, i)}});
        agent.answers(kPatience, guest_.interfaces.size());
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i) {
            const auto name = agent.answer(kPatience).at("name");
            if (i == 0 && options_.waits_for_network)
                card_ = name;
        }
        if (!card_.empty())
            result_.address = agent.ask("wait-network", {{"card", card_}}, kPatience).at("address");
    }

    struct Key {
        std::string name;
        std::unique_ptr<render::EarlyHostKey> key;
    };

    const Domains& domains_;
    const OpenedTemplate& from_;
    Guest guest_;
    fs::path directory_;
    const CloneOptions& options_;
    std::vector<Key> keys_;
    CloneResult result_;
    std::string card_;  // the first one's name in the guest, when its address is waited for
    Clock::time_point start_ = Clock::now();
};

}  // namespace

Guest guest_of_clone(const OpenedTemplate& from, const std::string& name) {
    auto guest = from.saved.request.guest;
    guest.name = name;
    guest.uuid = os::random_uuid();
    guest.hostname.clear();
    for (auto& interface : guest.interfaces) interface.mac.clear();
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) guest.interfaces[i].mac = interface_mac(guest, i);
    return guest;
}

CloneResult start_clone(const Domains& domains, const OpenedTemplate& from, Guest guest, const fs::path& directory,
                        const CloneOptions& options) {
    const auto name = guest.name;
    try {
        if (!is_valid_guest_name(name))
            throw error(ErrorKind::hypervisor, "letters, digits and . _ + - only in a domain's name");
        if (domains.is_running(name))
            throw error(ErrorKind::hypervisor, "a domain named {} is running", quote(name));
        return Cloning(domains, from, std::move(guest), fs::absolute(directory).lexically_normal(), options).run();
    } catch (Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            e.add_context(
                fmt::format("cannot start {} from the template {}", quote(name), quote(from.directory.native())));
        throw;
    }
}

}  // namespace vprov::hypervisor
