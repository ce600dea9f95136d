// What happens inside the sandbox before the program runs. Called in a forked child only.
#pragma once

#include <string>

#include "bootstrap/configure/sandbox.h"
#include "bootstrap/configure/sandbox_mounts.h"

namespace vprov::configure {

struct ChildSetup {
    const SandboxCommand& command;
    SandboxMounts mounts;
    Network network;
    const std::string& hostname;
    const std::string& filter;  // the seccomp program
    int input, output, status;  // become descriptors 0, 1 and 2, and kStatusFd
};

// In the process that was forked first: enters new namespaces, starts the rest, and exits with its status. A set-up
// step that fails is written to `failure` as text.
[[noreturn]] void run_sandbox(const ChildSetup& setup, pid_t parent, int failure);

}  // namespace vprov::configure
