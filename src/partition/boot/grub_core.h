// What GRUB needs to find its menu: the modules, prefix and built-in configuration of core.img, as grub-install(8)
// (2.06) chooses them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vprov::partition {

// Where the menu is: the file system with /boot/grub.
struct BootFilesystem {
    std::string type;       // as in fstab: "ext4", "xfs", "btrfs"
    std::string uuid;       // as blkid prints it
    std::string map;        // "gpt", "msdos"; "" for a bare disk
    unsigned number = 0;    // of the partition, from 1
    std::string directory;  // "/boot/grub", or "/grub" where /boot is a file system of its own
    bool operator==(const BootFilesystem&) const = default;
};

// What GRUB needs to read it: {"ext2", "part_gpt"}.
std::vector<std::string> modules_for(const BootFilesystem& filesystem);

// The name of GRUB's directory of modules, "x86_64-efi"; "" for an architecture (Debian's name) without one.
std::string bios_platform(std::string_view architecture);
std::string efi_platform(std::string_view architecture);
// EFI/BOOT/NAME.EFI on removable media (UEFI 2.10, 3.5.1.1): "BOOTX64.EFI".
std::string removable_name(std::string_view efi_platform);

struct GrubCore {
    std::string platform;  // also grub-mkimage's --format
    std::string prefix;    // "(,gpt2)/boot/grub"
    std::string config;    // read before anything else; "" for none
    std::vector<std::string> modules;
    bool operator==(const GrubCore&) const = default;
};

// Looks for it by its number, on the disk that was started; it is a partition of that.
GrubCore bios_core(const std::string& platform, const BootFilesystem& filesystem);
// Looks for it by its UUID: which disk a firmware started is not known to it.
GrubCore efi_core(const std::string& platform, const BootFilesystem& filesystem);

// The grub.cfg beside a GRUB that was built with no knowledge of this disk (Debian's signed one).
std::string menu_of(const BootFilesystem& filesystem);

// grub-mkimage(1), for a core whose configuration (if it has one) is in the file `config`.
std::vector<std::string> mkimage_argv(const GrubCore& core, const std::string& config, const std::string& output);

// An empty environment block (grub-editenv(1)): 1024 bytes.
std::string empty_environment();

}  // namespace vprov::partition
