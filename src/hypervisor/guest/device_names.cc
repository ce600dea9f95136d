#include "hypervisor/guest/device_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::hypervisor {
namespace {

// /lib is a link in a merged-/usr initrd: it must not be in the archive itself, or the kernel makes a directory of it.
constexpr std::string_view kRuleFile = "lib/udev/rules.d/61-vprov-xen-names.rules";

// The initrd's /run becomes the system's. Renamed to its place, for a udevd reads what it finds there at once. klibc
// has no cp.
constexpr std::string_view kRule =
    R"(# The names that a guest's disks have on Xen, by their serial numbers.
SUBSYSTEM!="block", GOTO="vprov_end"
KERNEL!="vd*", GOTO="vprov_end"
TEST!="/run/udev/rules.d/61-vprov-xen-names.rules", PROGRAM="/bin/sh -c '\
cd /run/udev; mkdir -p rules.d; cat /lib/udev/rules.d/61-vprov-xen-names.rules >names.$$$$; \
mv names.$$$$ rules.d/61-vprov-xen-names.rules'"
ENV{DEVTYPE}=="disk", ATTR{serial}=="xvd*|hd*|sd*", SYMLINK+="$attr{serial}"
ENV{DEVTYPE}=="partition", ATTRS{serial}=="xvd*|hd*|sd*", SYMLINK+="$attr{serial}%n"
LABEL="vprov_end"
)";

void pad(std::string& archive) {
    archive.append((4 - archive.size() % 4) % 4, '\0');
}

void append_file(std::string& archive, unsigned inode, unsigned mode, std::string_view name, std::string_view content) {
    archive += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                           inode, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
    archive += name;
    archive += '\0';
    pad(archive);
    archive += content;
    pad(archive);
}

}  // namespace

bool wants_device_names(const Guest& guest) {
    constexpr std::string_view kRoot = "root=/dev/";
    if (guest.kernel.empty() || guest.ramdisk.empty())
        return false;
    const auto words = split_words(guest.cmdline);
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return word.starts_with(kRoot) && parse_device_name(word.substr(kRoot.size())).index >= 0;
    });
}

std::string device_names_segment(std::size_t size) {
    constexpr unsigned kFile = 0100644;
    std::string archive;
    append_file(archive, 1, kFile, kRuleFile, kRule);
    append_file(archive, 0, 0, "TRAILER!!!", "");
    return std::string((4 - size % 4) % 4, '\0') + archive;
}

}  // namespace vprov::hypervisor
