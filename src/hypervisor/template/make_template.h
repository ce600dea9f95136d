// A template: a guest that has booted, to start clones from without booting them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

struct TemplateOptions {
    CreateOptions creation;                                // how the guest is booted
    std::chrono::seconds boot_time{600};                   // it has for its boot
    std::function<void(std::string_view stage)> on_stage;  // may be none
};

struct MadeTemplate {
    std::filesystem::path directory;
    std::uint64_t memory_bytes = 0;  // that its memory takes on the disk
    std::vector<std::string> warnings;
};

// Copies the guest's disks, boots the guest from the copies as a domain of its own name, and when its boot is over and
// its cards are unplugged keeps memory, devices and disks in a new directory. The guest's own disks are read only; they
// must not be in use. Nothing is left when it throws: Error(hypervisor) "cannot make a template of 'NAME': CAUSE",
// Error(disk), Error(interrupted).
MadeTemplate make_template(const Domains& domains, const Guest& guest, const std::filesystem::path& directory,
                           const TemplateOptions& options);

}  // namespace vprov::hypervisor
