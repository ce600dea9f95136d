// The system call filter for maintainer scripts. Pure but for the memory file it returns.
#pragma once

#include <string>

#include "os/fd.h"

namespace vprov::configure {

// A BPF program (seccomp(2)), in a memory file, that lets fsync, fdatasync, sync, syncfs and sync_file_range succeed at
// once: a tree that is thrown away on any failure needs no durability before it is whole, and dpkg syncs every file.
os::Fd make_sync_filter();

// For the child between fork and exec: loads the program read by read_filter().
void load_filter(const std::string& program);  // throws Error(script)

}  // namespace vprov::configure
