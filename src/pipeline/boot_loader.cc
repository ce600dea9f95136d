#include "pipeline/boot_loader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "config-render/boot_files.h"
#include "partition/boot/embed.h"
#include "partition/boot/grub_core.h"
#include "partition/layout/placement.h"
#include "pipeline/guest_kernels.h"

namespace vprov::pipeline {
namespace {

constexpr std::size_t kKeptLines = 15;

struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
};

// What grub-install copies of a platform's directory (grub_install_copy_files(), 2.06).
bool is_wanted_at_boot(std::string_view name) {
    return name.ends_with(".mod") || name.ends_with(".lst") || name == "modinfo.sh" || name == "efiemu32.o" ||
           name == "efiemu64.o";
}

class Installation {
  public:
    Installation(const os::RootDir& root, const plan::Plan& plan, configure::Sandbox& sandbox)
        : root_(root),
          boot_(plan.boot),
          sandbox_(sandbox),
          modules_("/usr/lib/grub/" + boot_.platform),
          target_("/boot/grub/" + boot_.platform) {}

    void run() {
        copy_modules();
        copy("/usr/share/grub/unicode.pf2", "/boot/grub/fonts/unicode.pf2");
        if (boot_.firmware == recipe::Firmware::bios)
            install_for_bios();
        else
            install_for_uefi();
    }

  private:
    // With the time of what is copied: a copy is not newer than its package.
    void copy(const std::string& from, const std::string& to) const {
        const auto source = root_.open(from, O_RDONLY);
        struct stat status {};
        ::fstat(source.get(), &status);
        root_.write(to, os::read_file(source, from));
        const std::array<struct timespec, 2> times = {status.st_mtim, status.st_mtim};
        if (::futimens(root_.open(to, O_RDONLY).get(), times.data()) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot set the time of " + quote(to));
    }

    void copy_modules() const {
        auto fd = root_.open(modules_, O_RDONLY | O_DIRECTORY);
        const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd.release()));
        while (const auto* entry = dir ? ::readdir(dir.get()) : nullptr)
            if (is_wanted_at_boot(entry->d_name))
                copy(fmt::format("{}/{}", modules_, entry->d_name), fmt::format("{}/{}", target_, entry->d_name));
    }

    void run_in_guest(std::vector<std::string> argv, const std::string& input = {}) const {
        std::deque<std::string> said;
        configure::SandboxCommand command;
        command.argv = argv;
        command.environment = configure::maintainer_environment();
        command.input = input;
        command.on_output = [&](std::string_view line) {
            said.emplace_back(line);
            if (said.size() > kKeptLines)
                said.pop_front();
        };
        if (const int status = sandbox_.run(std::move(command)); status != 0)
            throw error(ErrorKind::script, "cannot install GRUB: {}\nexit status {}; it said:\n{}", shell_line(argv),
                        status, joined(std::vector<std::string>(said.begin(), said.end()), "\n"));
    }

    void make_core(const partition::GrubCore& core, const std::string& output) const {
        const auto config = target_ + "/load.cfg";
        if (!core.config.empty())
            root_.write(config, core.config);
        run_in_guest(partition::mkimage_argv(core, config, output));
    }

    // No device is named: vda here is xvda there, and a name that is not there fails the package's upgrade.
    void install_for_bios() const {
        copy(modules_ + "/boot.img", target_ + "/boot.img");
        make_core(partition::bios_core(boot_.platform, boot_.filesystem), target_ + "/core.img");
        answer({"grub-pc/install_devices multiselect ", "grub-pc/install_devices_empty boolean true"});
    }

    // The removable path is what starts; the vendor's directory makes the package's upgrades install GRUB anew.
    void install_for_uefi() const {
        const auto core = target_ + "/core.efi";
        make_core(partition::efi_core(boot_.platform, boot_.filesystem), core);
        const auto name = partition::removable_name(boot_.platform);
        const auto letters = name.substr(4, name.find('.') - 4);  // "BOOTX64.EFI": X64
        if (boot_.secure_boot)
            install_signed(name, lower(letters));
        else
            for (const auto& file : {"BOOT/" + name, fmt::format("debian/grub{}.efi", lower(letters))})
                copy(core, efi_path(file));
        answer({"grub2/force_efi_extra_removable boolean true", "grub2/update_nvram boolean false"});
    }

    // Debian's signed GRUB reads EFI/debian/grub.cfg (debian/build-efi-images of 2.06), and beside itself from 2.12 on.
    void install_signed(const std::string& removable, const std::string& letters) const {
        const auto grub = fmt::format("/usr/lib/grub/{}-signed/grub{}.efi.signed", boot_.platform, letters);
        const auto shim = fmt::format("/usr/lib/shim/shim{}.efi.signed", letters);
        const auto keys = fmt::format("/usr/lib/shim/mm{}.efi.signed", letters);
        copy(shim, efi_path("BOOT/" + removable));
        copy(shim, efi_path(fmt::format("debian/shim{}.efi", letters)));
        for (const auto* folder : {"BOOT", "debian"}) {
            copy(grub, efi_path(fmt::format("{}/grub{}.efi", folder, letters)));
            copy(keys, efi_path(fmt::format("{}/mm{}.efi", folder, letters)));
            root_.write(efi_path(fmt::format("{}/grub.cfg", folder)), partition::menu_of(boot_.filesystem));
        }
    }

    static std::string lower(std::string text) {
        std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return text;
    }

    std::string efi_path(const std::string& file) const { return fmt::format("{}/EFI/{}", boot_.esp, file); }

    void answer(const std::vector<std::string>& answers) const {
        std::string selections;
        for (const auto& one : answers) selections += fmt::format("{} {}\n", boot_.package, one);
        if (root_.exists("/usr/bin/debconf-set-selections"))
            run_in_guest({"/usr/bin/debconf-set-selections"}, selections);
    }

    const os::RootDir& root_;
    const plan::BootPlan& boot_;
    configure::Sandbox& sandbox_;
    std::string modules_, target_;
};

// Of a menu that GRUB cannot read, nothing would be seen before the guest starts.
void check_menu(configure::Sandbox& sandbox) {
    std::string said;
    configure::SandboxCommand command;
    command.argv = {"/usr/bin/grub-script-check", "/boot/grub/grub.cfg"};
    command.environment = configure::maintainer_environment();
    command.on_output = [&](std::string_view line) { said.append(line).append("\n"); };
    if (sandbox.run(std::move(command)) != 0)
        throw error(ErrorKind::recipe,
                    "cannot make a menu for GRUB: {}\n"
                    "A kernel command line in it must be one that GRUB's shell understands",
                    trimmed(said));
}

partition::EmbeddingArea embedding_area(const partition::DiskPlan& disk) {
    const auto& volumes = disk.volumes;
    if (disk.table == partition::Table::gpt) {
        const auto reserved = std::ranges::find(volumes, partition::Role::bios_boot, &partition::Volume::role);
        if (reserved == volumes.end())
            throw error(ErrorKind::internal, "internal error: no BIOS boot partition on {}", quote(disk.name));
        return {reserved->start, reserved->size, "the BIOS boot partition"};
    }
    const auto extended = partition::extended_area(disk);
    const auto first = volumes.front().start;
    return partition::gap_before(extended ? std::min(first, extended->start) : first);
}

}  // namespace

std::vector<std::string> menu_kernels(const os::RootDir& root, const plan::Plan& plan) {
    if (plan.boot.method == recipe::BootMethod::direct)
        return {};
    std::vector<std::string> versions = {newest_kernel(root, plan.kernel_package).version};
    for (const auto& kernel : guest_kernels(root))
        if (kernel.version != versions[0] && root.exists("/boot/" + kernel.initrd))
            versions.push_back(kernel.version);
    return versions;
}

void install_boot_loader(const os::RootDir& root, const plan::Plan& plan, configure::Sandbox& sandbox) {
    if (plan.boot.method == recipe::BootMethod::direct)
        return;
    render::write_guest_files(root, render::grub_files(plan, menu_kernels(root, plan)));
    check_menu(sandbox);
    if (!plan.boot.platform.empty())
        Installation(root, plan, sandbox).run();
}

void write_boot_code(const os::RootDir& root, const plan::BootPlan& boot, const partition::DiskPlan& disk,
                     const std::filesystem::path& target) {
    const auto& volumes = disk.volumes;
    const bool holds_menu = std::ranges::any_of(
        volumes, [&](const partition::Volume& volume) { return volume.uuid_text() == boot.filesystem.uuid; });
    if (boot.platform.empty() || boot.firmware != recipe::Firmware::bios || !holds_menu)
        return;
    const auto folder = "/boot/grub/" + boot.platform;
    partition::embed_grub(target, root.read(folder + "/boot.img"), root.read(folder + "/core.img"),
                          embedding_area(disk));
}

}  // namespace vprov::pipeline
