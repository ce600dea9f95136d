// A domain into a file, and a domain out of it: its memory and the state of its devices. Its disks stay where they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

enum class AfterSave { end, run, pause };  // run: as before; a paused domain stays paused

struct SaveOptions {
    AfterSave after = AfterSave::end;
    bool sync = true;  // false: a power cut within the next seconds may damage the file, which restoring notices
};

struct SaveResult {
    std::uint64_t bytes = 0;  // of the file
    double seconds = 0;       // that the guest stood still, or until it ended
};

// The file appears under its name, with mode 0600, when it is complete, and only then does the domain end. Whatever
// fails or is killed before leaves the domain as it was and no file; a file of that name from before stays.
// Throws Error(hypervisor) "cannot save 'NAME': CAUSE", Error(disk), Error(interrupted).
SaveResult save_domain(const Domains& domains, const std::string& name, const std::filesystem::path& file,
                       const SaveOptions& options);

struct RestoreOptions {
    std::string executable;  // as CreateOptions'
    bool paused = false;     // it stays paused
    bool force = false;      // also with disks that have changed since, which as a rule damages their file systems
};

// The domain goes on where it was saved. The file stays. Throws Error(hypervisor) "cannot restore from 'FILE': CAUSE"
// when a domain of its name is there, its disks have changed, the file is not a complete one, or QEMU is not the same
// as then; nothing is left running. Error(interrupted).
CreatedDomain restore_domain(const Domains& domains, const std::filesystem::path& file, const RestoreOptions& options);

}  // namespace vprov::hypervisor
