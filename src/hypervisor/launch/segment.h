// Networks on which only guests are. Touches the network namespaces of running domains; makes one.
//
// A segment is a bridge in a network namespace that nothing else is in, so that it takes no rights on the host: whoever
// may make user namespaces may make one. It lasts as long as a QEMU has it open, and what is in it is nobody's to clean
// up.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "hypervisor/launch/state_dir.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {

struct SegmentPort {
    os::Fd tap;      // on the segment's bridge
    os::Fd network;  // the namespace: QEMU keeps it open for the next guest to find it
};

// The segments that a domain joins as it starts. While one of these lives nobody else joins any: until the domain's
// record says which it is on.
class Segments {
  public:
    explicit Segments(const StateDir& state) : state_(state) {}

    // Connects to the segment, which is made when no running domain of this StateDir is on it. Throws Error(hypervisor)
    // "cannot connect to the segment 'NAME': the step that was refused".
    SegmentPort join(const std::string& segment, const std::string& tap);

  private:
    os::Fd running(const std::string& segment) const;  // not open: nobody is on it

    const StateDir& state_;
    std::optional<os::FileLock> lock_;
    std::map<std::string, os::Fd> joined_;
};

}  // namespace vprov::hypervisor
