// A place for a guest's own programs to run in: its tree as root directory, private mount, process, network, IPC and
// host-name namespaces, no daemons, and fsync(2) and its kin as no-ops. Ends with everything that was started in it.
//
// Of devices it has null, zero, full, random, urandom and tty of the host and terminals of its own; others can be made
// in it, and not be opened. The kernel's settings in /proc/sys and /sys can be read only.
//
// Needs CAP_SYS_ADMIN. Nothing is mounted outside the namespace, so nothing is left whatever kills us.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "os/root_dir.h"

namespace vprov::configure {

struct SandboxCommand {
    std::vector<std::string> argv;                         // argv[0] is a path in the guest
    std::map<std::string, std::string> environment;        // all of it
    std::string input;                                     // small: standard input, at most a pipe's 64 KiB
    std::function<void(std::string_view line)> on_output;  // standard output and error, line by line
    std::function<void(std::string_view line)> on_status;  // what is written to descriptor kStatusFd
};

inline constexpr int kStatusFd = 3;

enum class Network {
    none,  // a loopback interface that is its own
    host,  // the host's, with its resolv.conf
};

// LC_ALL, PATH, HOME, and what keeps debconf from asking.
std::map<std::string, std::string> maintainer_environment();

class Sandbox {
  public:
    // `work` is a directory of the host for the sandbox's own files; `hostname` is what programs inside see. Puts files
    // into the tree that others are mounted on; the destructor removes them.
    Sandbox(const os::RootDir& root, const std::filesystem::path& work, std::string hostname,
            Network network = Network::none);
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    // The exit status, 128 + signal for one that was killed. Throws Error(script) when the sandbox cannot be set up,
    // saying which step failed, and Error(interrupted) after ending everything inside on a stop request.
    int run(const SandboxCommand& command);

  private:
    const os::RootDir& root_;
    std::filesystem::path stub_;  // bind-mounted over start-stop-daemon
    std::string hostname_;
    Network network_;
    std::string filter_;                     // the seccomp program
    std::vector<std::string> placeholders_;  // paths in the tree
};

}  // namespace vprov::configure
