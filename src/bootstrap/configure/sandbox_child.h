// What happens inside the sandbox. Called in a forked child only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "bootstrap/configure/sandbox.h"
#include "bootstrap/configure/sandbox_mounts.h"

namespace vprov::configure {

struct ChildSetup {
    SandboxMounts mounts;
    const std::string& hostname;
    const std::string& filter;  // the seccomp program
    int socket;                 // SOCK_SEQPACKET: an Order a message, answered by a Reply each
};

// Followed by the descriptors of a memory file with encode_command(), of standard input, of standard output and error,
// and of the status stream. Ticket 0, without descriptors, asks for the mounts to be made.
struct Order {
    std::uint32_t ticket = 0;
};
inline constexpr std::size_t kOrderDescriptors = 4;

// Followed by text when a step of setting up failed.
struct Reply {
    std::uint32_t ticket = 0;
    std::int32_t status = 0;  // exit status, 128 + signal
};
inline constexpr std::size_t kReplyText = 2000;  // bytes at most

// The command's arguments and environment.
std::string encode_command(const SandboxCommand& command);

// In the process that was forked first: enters new namespaces, starts their process 1, which obeys orders until the
// other end of the socket is closed, and exits after it. `parent` is the process that forked.
[[noreturn]] void run_sandbox(const ChildSetup& setup, pid_t parent);

}  // namespace vprov::configure
