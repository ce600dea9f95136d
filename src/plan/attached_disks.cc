#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "plan/plan.h"

namespace vprov::plan {
namespace {
using hypervisor::Guest;
using hypervisor::GuestDisk;
using hypervisor::GuestType;

bool is_taken(const Guest& guest, std::string_view device) {
    return std::any_of(guest.disks.begin(), guest.disks.end(), [&](const GuestDisk& disk) {
        return std::string_view(disk.vdev).substr(0, disk.vdev.find_first_of("0123456789")) == device;
    });
}

std::string free_device(const Guest& guest, std::string_view prefix, std::string_view letters) {
    for (const char letter : letters)
        if (auto device = fmt::format("{}{}", prefix, letter); !is_taken(guest, device))
            return device;
    throw error(ErrorKind::recipe, "cannot plan the disks: all of {}{} to {}{} are taken", prefix,
                *std::min_element(letters.begin(), letters.end()), prefix,
                *std::max_element(letters.begin(), letters.end()));
}

// CD drives are on the virtual PC's second IDE channel, as xm had them.
std::string cd_device(const Guest& guest) {
    return free_device(guest, "hd", "cdba");
}

std::string disk_device(const Guest& guest) {
    return guest.type == GuestType::hvm ? free_device(guest, "hd", "abcd")
                                        : free_device(guest, "xvd", "abcdefghijklmnopqrstuvwxyz");
}

void attach(Guest& guest, GuestDisk disk) {
    for (const auto& other : guest.disks)
        if (other.vdev == disk.vdev)
            throw error(ErrorKind::recipe, "cannot plan two disks with the guest device {}", quote(disk.vdev));
    guest.disks.push_back(std::move(disk));
}

GuestDisk given_disk(const recipe::DomainDisk& asked, const recipe::Recipe& recipe) {
    GuestDisk disk;
    disk.cdrom = asked.cdrom;
    disk.writable = !asked.cdrom && !asked.readonly;
    disk.format = asked.path ? asked.format : hypervisor::DiskFormat::empty;
    if (asked.path)
        disk.target = asked.script ? asked.path->native() : recipe::host_path(recipe, *asked.path).native();
    disk.backend = asked.backend;
    disk.script = asked.script.value_or("");
    disk.discard = asked.discard;
    return disk;
}

}  // namespace

void attach_disks(Guest& guest, const recipe::Recipe& recipe) {
    for (const auto& asked : recipe.domain.disks) {
        auto disk = given_disk(asked, recipe);
        disk.vdev = asked.guest ? *asked.guest : disk.cdrom ? cd_device(guest) : disk_device(guest);
        attach(guest, std::move(disk));
    }
    for (const auto& cdrom : recipe.domain.cdrom) {
        GuestDisk disk{"", hypervisor::DiskFormat::empty, cd_device(guest), false, true};
        if (!cdrom.empty()) {
            disk.format = hypervisor::DiskFormat::raw;
            disk.target = recipe::host_path(recipe, cdrom);
        }
        attach(guest, std::move(disk));
    }
}

}  // namespace vprov::plan
