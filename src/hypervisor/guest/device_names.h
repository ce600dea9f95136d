// Xen's names of disks (/dev/xvda1, /dev/hda2) for a guest whose disks are called otherwise here. Pure.
#pragma once

#include <string>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// True when its kernel command line names its root by such a name; then its fstab does so too. Only a guest whose
// initrd is known can be told: its udev makes the names, from the serial numbers that qemu_disks() gives virtio disks.
bool wants_device_names(const Guest& guest);

// A cpio archive (initramfs, buffer-format) of one udev rule that makes the names, in the initrd and, by way of /run,
// in the system that it starts. To be appended to an initrd of `size` bytes: begins with the zeros that align it to 4
// bytes, without which the kernel says "invalid magic".
std::string device_names_segment(std::size_t size);

}  // namespace vprov::hypervisor
