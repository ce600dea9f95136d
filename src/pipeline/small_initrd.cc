#include "pipeline/small_initrd.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "pipeline/cpio.h"
#include "pipeline/kernel_modules.h"

namespace vprov::pipeline {
namespace {
using partition::Filesystem;

// Disks of Xen and of QEMU with virtio; then those of a PC's chipset, which QEMU and Xen give to unmodified guests.
constexpr std::array<const char*, 6> kDrivers = {"virtio_pci",   "virtio_blk", "virtio_scsi",
                                                 "xen_blkfront", "nvme",       "sd_mod"};
constexpr std::array<const char*, 1> kLaterDrivers = {"ata_piix"};
// What /sys/bus is looked through for by src/guest-init/modules.c.
constexpr std::array<std::string_view, 4> kBuses = {"pci:", "virtio:", "xen:", "scsi:"};

std::string module_of(Filesystem filesystem) {
    if (filesystem == Filesystem::ext2 || filesystem == Filesystem::ext3)
        return "ext4";
    return std::string(name(filesystem));
}

bool is_of_a_bus(const std::string& alias) {
    return std::ranges::any_of(kBuses, [&](auto bus) { return alias.starts_with(bus); });
}

// Lines for the init, and the files they name.
class ModuleTable {
  public:
    explicit ModuleTable(const KernelModules& modules) : modules_(modules) {}

    void add(const std::string& name, const std::string& pattern) {
        const auto files = modules_.files_for(name);
        if (files.empty())
            return;
        text_ += fmt::format("{} {}\n", pattern, joined(files, " "));
        files_.insert(files.begin(), files.end());
    }
    void add_driver(const std::string& name) {
        for (const auto& alias : modules_.aliases_of(name))
            if (is_of_a_bus(alias))
                add(name, alias);
    }
    const std::string& text() const { return text_; }
    const std::set<std::string>& files() const { return files_; }

  private:
    const KernelModules& modules_;
    std::string text_;
    std::set<std::string> files_;
};

}  // namespace

std::string small_initrd(const os::RootDir& root, const std::string& version, Filesystem filesystem,
                         std::int64_t date) {
    if (guest_init().empty())
        throw error(ErrorKind::disk, "cannot make a small initrd: this vprov was not built on amd64");
    const KernelModules modules(root, version);
    ModuleTable first(modules), later(modules);
    first.add(module_of(filesystem), "-");
    for (const auto* driver : kDrivers) first.add_driver(driver);
    for (const auto* driver : kLaterDrivers) later.add_driver(driver);
    auto files = first.files();
    files.insert(later.files().begin(), later.files().end());
    CpioArchive cpio(date);
    cpio.add_file("init", guest_init(), 0755);
    cpio.add_file("modules", first.text());
    cpio.add_file("modules-later", later.text());
    for (const auto& file : files) cpio.add_file("lib/" + file, modules.contents(file));
    return cpio.finish();
}

}  // namespace vprov::pipeline
