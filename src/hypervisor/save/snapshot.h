// Moments of a domain, disks and memory, kept inside its qcow2 images: QEMU's internal snapshots.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

struct Snapshot {
    std::string name;
    std::uint64_t memory_bytes = 0;  // of the guest's memory and devices
    std::int64_t taken = 0;          // seconds since 1970
    double guest_seconds = 0;        // that the guest had run by then
};

// `name` is a running domain's. All throw Error(hypervisor) "cannot VERB ...: CAUSE": for a domain with a writable disk
// of another format than qcow2, for a snapshot that is not there, or is already. Error(interrupted): it is finished all
// the same, as far as QEMU has begun with it.
// create: the guest stands still meanwhile, and goes on if it ran.
void create_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot);
// Disks and memory are as they were then; what came after is lost. The guest runs if it ran before. When QEMU fails in
// the middle of it (a device that the guest has now and had not then) the domain is ended.
void revert_to_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot);
void delete_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot);
// Those that all writable disks have, in the order in which they were taken.
std::vector<Snapshot> list_snapshots(const Domains& domains, const std::string& name);

}  // namespace vprov::hypervisor
