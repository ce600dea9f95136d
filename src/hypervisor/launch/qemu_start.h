// Everything that a QEMU is given when it starts: its command line and the descriptors that this names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/confinement.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/qemu_process.h"
#include "hypervisor/launch/segment.h"
#include "hypervisor/launch/state_dir.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// A file that is the guest's memory.
struct MemoryFile {
    int fd = -1;            // borrowed; -1: QEMU makes its own memory
    bool is_shared = true;  // false: what the guest writes is its own
};

struct QemuStart {
    std::vector<std::string> argv;
    QemuChannels channels;
    std::vector<os::Fd> held;                // besides the channels; to be open until QEMU runs
    int ram_fd = -1;                         // borrowed
    std::optional<Confinement> confinement;  // nullopt: it was not wanted
    std::vector<OpenFile> files;
    std::map<std::string, int> networks;  // of the segments that it is on: DomainRecord::segments
    std::optional<Segments> segments;     // to live until the domain's record has these
    std::vector<std::string> warnings;

    std::vector<int> inherited() const;  // the numbers of all of them
};

// Opens the guest's files; makes the sockets, taps (named vifID.N) and other files of one start, in the domain's
// directory where they have a name. Throws Error(hypervisor).
QemuStart prepare_qemu(const LaunchRequest& request, Engine engine, unsigned id, const StateDir& state,
                       const MemoryFile& memory = {});

}  // namespace vprov::hypervisor
