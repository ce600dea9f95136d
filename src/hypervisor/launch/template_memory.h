// The memory of a guest at the moment of which it is a template, for clones to begin with. Each clone has its own copy
// of the pages that it writes to; all others are the same ones in every clone that runs.
//
// QEMU opens memory for writing whatever it does with it, so it gets a sealed file without a name (memfd_create(2),
// F_SEAL_WRITE) and never the template's own. The clones' QEMUs hold it, and whoever starts the next one takes it from
// one of them.
#pragma once

#include <filesystem>

#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/launch/state_dir.h"
#include "os/fd.h"

namespace vprov::hypervisor {

class TemplateMemory {
  public:
    // Not open: of a domain that is not a clone.
    TemplateMemory() = default;
    // `file` as it is now. Other clones wait meanwhile, until release(). Throws Error(hypervisor).
    TemplateMemory(const std::filesystem::path& file, const StateDir& state);

    const os::Fd& fd() const { return fd_; }
    SharedFile in(const ProcessIdentity& qemu) const;  // what the record of a clone says
    void release() { lock_.reset(); }                  // the record is written

  private:
    bool find(const StateDir& state);

    os::Fd fd_, lock_;
    std::string content_;
};

}  // namespace vprov::hypervisor
