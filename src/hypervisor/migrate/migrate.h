// Moving a running domain to another host, or to another state directory of this one.
//
// At each moment one side only may run the guest. The source's QEMU stands still, the target's has loaded all; then the
// source hands it over for good (its supervisor keeps that on disk) and says "go"; the target runs it and says so; the
// source ends. Whatever happens before "go", the source goes on and the target vanishes. After it, both sides of one
// host tell by the lock on the guest's memory who has it. On two hosts an answer that is lost leaves the source paused,
// for nobody can tell from one end of a broken line: the user looks at the other end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/domains.h"
#include "hypervisor/migrate/method.h"
#include "os/fd.h"

namespace vprov::hypervisor {

struct MoveOptions {
    // The command that runs receive_domain() at the target: "ssh HOST vprov migrate-receive".
    std::vector<std::string> receiver;
    std::string target;                 // how messages call it
    bool live = false;                  // postcopy where the guest cannot be sent while it runs
    bool copies_disks = false;          // disks, kernel and ramdisk are not there, and go along
    std::string directory = {};         // for these there; "" : the same paths
    bool may_share = true;              // false: memory is sent even where it could stay, as to another host
    std::optional<Method> method = {};  // nullopt: the one that is sound
};

struct Moved {
    Method method = Method::copy;
    double seconds = 0;        // all of it
    double standstill = 0;     // from the order to stop to the word that it runs at the target
    std::uint64_t copied = 0;  // bytes of its files, as the guest sees them
    std::vector<std::string> warnings;
};

// Throws Error(hypervisor) "cannot move 'NAME' to TARGET: CAUSE", ending in what became of the domain here;
// Error(interrupted), the domain going on.
Moved move_domain(const Domains& domains, const std::string& name, const MoveOptions& options);

// The other end, with the connection as `in` and `out`. Throws what it has also told the source.
void receive_domain(const Domains& domains, const std::string& executable, os::Fd in, os::Fd out);

}  // namespace vprov::hypervisor
