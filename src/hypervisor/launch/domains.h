// Running domains: starting, listing, stopping, their consoles. The entrance to src/hypervisor/launch.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/monitor.h"
#include "hypervisor/launch/state_dir.h"
#include "os/fd.h"

namespace vprov::hypervisor {

struct CreateOptions {
    std::string executable;  // this program; run as `EXECUTABLE supervise STATE_DIR NAME`
    EngineChoice engine = EngineChoice::automatic;
    std::filesystem::path folder = ".";  // relative paths of the guest are taken from here
    bool paused = false;                 // unpause() lets it begin
    bool incoming = false;               // QEMU waits for migrate-incoming; an operation must begin within 10 s
};

struct CreatedDomain {
    std::string name;
    unsigned id = 0;
    std::string engine;                 // "KVM", "TCG (KVM was tried: too slow)"
    std::vector<std::string> warnings;  // "bridge 'bridge0' does not exist: using user-mode networking (...)"
};

struct DomainInfo {
    std::string name;
    unsigned id = 0;
    std::uint64_t memory_mib = 0;
    unsigned vcpus = 0;
    std::string state;       // as xl list: six of "rbpscd" or '-': "r-----", "-b----", "---s--"
    double cpu_seconds = 0;  // of its vCPUs, restarts included
    std::string engine;
    bool supervised = true;  // false: QEMU runs, but the supervisor has died
};

// A change to a running domain that takes its time. Nobody else begins one meanwhile; when it is dropped without
// done(), run() or finish(), and also when the process dies, the domain goes on as it did before: one that is incoming,
// not at all.
class Operation {
  public:
    Operation(os::Fd socket, std::string domain) : socket_(std::move(socket)), domain_(std::move(domain)) {}
    void done();    // it stays as it is now
    void run();     // it runs from now on: the end of what made it incoming
    void finish();  // the domain ends, and is not restarted

  private:
    friend class Domains;
    void say(std::string_view line);
    os::Fd socket_;
    std::string domain_;
};

// What became of the wait for a login prompt.
struct LoginWait {
    bool reached = false;
    double seconds = 0;
    std::string cause;       // not reached: why, as far as the console tells
    std::string last_lines;  // not reached: the end of the console, plain text
};

class Domains {
  public:
    explicit Domains(StateDir state) : state_(std::move(state)) {}
    static Domains standard() { return Domains(StateDir::standard()); }

    // Checks the guest's files, starts its supervisor, and returns when the guest runs. Nothing is left behind when it
    // throws: Error(hypervisor) with the reason, QEMU's last words among it; Error(interrupted).
    CreatedDomain create(const Guest& guest, const CreateOptions& options) const;

    // Follows the console from the domain's start on. `on_line` gets each line as it is complete, as plain text.
    // Returns when the prompt stands there, the time is up, the domain has ended or its console says that it will not
    // come. Throws Error(interrupted); the domain is left as it is.
    LoginWait wait_for_login(const std::string& name, std::chrono::seconds most,
                             const std::function<void(std::string_view line)>& on_line = {}) const;

    // All domains by id. What is found dead (a killed supervisor whose QEMU has ended too) is cleaned away; a QEMU
    // whose supervisor has died gets a new one.
    std::vector<DomainInfo> list() const;

    // By name, or by id if no name is it. Throws Error(hypervisor) "cannot find a domain named 'x': ...".
    DomainInfo find(std::string_view name_or_id) const;
    bool is_running(const std::string& name) const;  // its supervisor or its QEMU lives

    void shutdown(const std::string& name) const;  // presses the power button; what the guest does with it is its thing
    void reboot(const std::string& name) const;    // presses it too; on_reboot says what follows the power-off
    void destroy(const std::string& name) const;   // returns when it is gone
    void pause(const std::string& name) const;
    void unpause(const std::string& name) const;
    void rename(const std::string& name, const std::string& new_name) const;

    // What it was started with, and what has been changed since: what a restart gives it.
    Guest configuration(const std::string& name) const;
    // Records a change that has been made to the running domain by its monitor().
    void record_change(const std::string& name, const Guest& guest) const;
    Monitor monitor(const std::string& name) const;
    Operation operate(const std::string& name, std::string_view what) const;  // "save": what others are told
    // Until the domain is gone. Throws Error(interrupted).
    bool wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const;

    // What is kept of its console, 2 MiB at most: of one that runs, or of the last of that name that ended. Throws
    // Error(hypervisor) when there was none.
    std::string console_log(const std::string& name) const;

    struct Console {
        os::Fd socket;           // bytes from the guest, and to it when writable
        bool writable = false;   // false: somebody else writes, or nobody asked to
        std::size_t recent = 0;  // so many of the first bytes were said before
    };
    enum class ConsoleMode { read, write };
    Console open_console(const std::string& name, ConsoleMode mode) const;

    const StateDir& state() const { return state_; }

  private:
    std::optional<DomainInfo> inspect(const std::string& name) const;  // under state_.lock()
    void adopt_orphans() const;
    void wait_for_pause(const std::string& name, bool paused) const;
    void end_processes_of(const std::string& name) const;
    DomainInfo supervised(const std::string& name, std::string_view verb) const;
    void request(const std::string& name, std::string_view what, std::string_view detail = "") const;

    StateDir state_;
};

}  // namespace vprov::hypervisor
