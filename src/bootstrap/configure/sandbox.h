// A place for a guest's own programs to run in: its tree as root directory, private mount, process, network, IPC and
// host-name namespaces, no daemons, and fsync(2) and its kin as no-ops. Ends with everything that was started in it.
//
// Of devices it has null, zero, full, random, urandom and tty of the host and terminals of its own; others can be made
// in it, and not be opened. The kernel's settings in /proc/sys and /sys can be read only.
//
// One process keeps the namespaces for all commands; it is forked by the constructor, so a sandbox is best made while
// this process is small. Needs CAP_SYS_ADMIN. Nothing is mounted outside of the namespace, so nothing is left whatever
// kills us.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"
#include "os/root_dir.h"

namespace vprov::configure {

struct SandboxCommand {
    std::vector<std::string> argv;                         // argv[0] is a path in the guest
    std::map<std::string, std::string> environment;        // all of it
    std::string input;                                     // small: standard input, at most a pipe's 64 KiB
    bool small_stand_ins = false;                          // kSmallPrograms in place of the tree's: stand_ins.h
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
    // `root` is the guest's tree, which may still be empty; `work` is a directory of the host for the sandbox's own
    // files; `hostname` is what programs inside see. Touches nothing in the tree before the first command.
    Sandbox(const std::filesystem::path& root, const std::filesystem::path& work, std::string hostname,
            Network network = Network::none);
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    // The exit status, 128 + signal for one that was killed. What the command left running is ended. Throws
    // Error(script) when the sandbox cannot be set up, saying which step failed, and Error(interrupted) after ending
    // everything inside on a stop request. The first command sees the tree's mount points as they are by then.
    int run(SandboxCommand command);

    // Two halves of run(), for commands side by side: output of all is taken while any is waited for, by the thread
    // that waits. Every started command has to be waited for, once.
    using Ticket = std::uint32_t;
    Ticket start(SandboxCommand command);
    int wait(Ticket ticket);

    // Ends everything inside; nothing of the sandbox stays in the tree. The destructor does the same.
    void close();

  private:
    struct Running;
    void enter();
    void take_events();
    void take_reply();
    [[noreturn]] void fail_as_ended();

    os::RootDir root_;
    std::filesystem::path stand_ins_;  // what is mounted over programs of the tree
    std::string hostname_;
    Network network_;
    std::string filter_;  // the seccomp program
    os::Fd socket_;
    pid_t process_ = -1;
    bool entered_ = false;
    std::vector<std::string> placeholders_;  // paths in the tree
    Ticket last_ticket_ = 0;
    std::map<Ticket, std::unique_ptr<Running>> running_;
};

}  // namespace vprov::configure
