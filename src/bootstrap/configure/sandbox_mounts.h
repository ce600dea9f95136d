// The file systems inside the sandbox.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bootstrap/configure/sandbox.h"
#include "os/root_dir.h"

namespace vprov::configure {

struct SandboxMounts {
    const os::RootDir& root;
    const std::filesystem::path& stand_ins;  // a directory with what covers programs of the tree
    Network network;
};

// Files in the tree for devices (and resolv.conf) to be mounted on, where it has none. Returns those that were made.
std::vector<std::string> make_placeholders(const os::RootDir& root, Network network);

// In process 1 of new mount and process namespaces: mounts everything, and makes the tree the root directory. Throws
// Error(script).
void make_mounts(const SandboxMounts& mounts);

// Inside, in a process that is going to run a program: covers kSmallPrograms for it and for what it starts, in a mount
// namespace of its own. Throws Error(script).
void cover_small_programs();

}  // namespace vprov::configure
