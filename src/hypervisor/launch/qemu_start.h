// Everything that a QEMU is given when it starts: its command line and the descriptors that this names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/qemu_process.h"
#include "os/fd.h"

namespace vprov::hypervisor {

struct QemuStart {
    std::vector<std::string> argv;
    QemuChannels channels;
    std::vector<os::Fd> held;  // besides the channels; to be open until QEMU runs
    int ram_fd = -1;           // borrowed
    std::vector<std::string> warnings;

    std::vector<int> inherited() const;  // the numbers of all of them
};

// `ram_fd` is a file of the guest's memory, borrowed; -1: QEMU makes its own. Makes the sockets, taps (named vifID.N)
// and other files of one start, in the domain's `directory` where they have a name. Throws Error(hypervisor).
QemuStart prepare_qemu(const LaunchRequest& request, Engine engine, unsigned id, const std::filesystem::path& directory,
                       int ram_fd = -1);

}  // namespace vprov::hypervisor
