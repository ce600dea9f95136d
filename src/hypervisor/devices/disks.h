// The disks of a running domain. Talks to its QEMU, and opens the files itself: QEMU gets descriptors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// All of these throw Error(hypervisor) "cannot VERB NOUN: CAUSE", and then nothing has changed. A `vdev` is a name
// (xvdb) or Xen's number of it. A restart of the domain has the disks that it has afterwards.

// The path of disk.target is taken from the working directory. Refused for a disk that another domain uses, unless both
// only read it, for one of an IDE bus, and for what QEMU cannot have (qemu_disks()).
void attach_disk(const Domains& domains, const std::string& name, GuestDisk disk);

// Returns when the guest has let go of it: its system must be running.
void detach_disk(const Domains& domains, const std::string& name, const std::string& vdev);

// The medium in a drive that the guest has: "" for none. A tray that the guest has locked is opened after 3 s.
void change_cd(const Domains& domains, const std::string& name, const std::string& vdev, const std::string& file);

// Linux's number of a disk for Xen guests, xen-vbd-interface(7): xvda1 is 202 << 8 | 1. Throws Error(hypervisor).
unsigned vdev_number(std::string_view vdev);

}  // namespace vprov::hypervisor
