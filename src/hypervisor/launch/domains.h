// Domains that QEMU runs: starting, listing, stopping, their consoles. The entrance to src/hypervisor/launch.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/engine/engine.h"
#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/monitor.h"
#include "hypervisor/launch/state_dir.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// What a domain brings along that ran elsewhere.
struct Arrival {
    RamFile ram;                       // its memory, on this host; fd -1: it comes by the monitor
    std::string template_memory = {};  // or a file that it begins with
    double cpu_seconds = 0;
    std::string console;  // what it has said
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
    // What is provisional runs from now on, and still ends when this is dropped without another word.
    void try_run();
    // It may go on elsewhere from now on. When the operation is dropped then, the lock of its memory (GuestRam) tells
    // whether it has: it ends here, or goes on. Where it does not share its memory nothing tells: it stays paused.
    void hand_over(HandOver how);
    // It has not gone on elsewhere. Throws Error(hypervisor) when the lock tells that it has.
    void take_back();

  private:
    friend class Domains;
    void still_stands();  // throws Error(hypervisor) when its supervisor has ended: the next one takes it back
    void say(std::string_view line);
    os::Fd socket_;
    std::string domain_;
};

// A domain that ends when its operation is dropped.
struct Provisional {
    CreatedDomain created;
    Operation operation;
};

class Domains : public DomainEngine {
  public:
    explicit Domains(StateDir state) : state_(std::move(state)) {}
    static Domains standard() { return Domains(StateDir::standard()); }

    // Checks the guest's files, starts its supervisor, and returns when the guest runs. Nothing is left behind when it
    // throws: Error(hypervisor) with the reason, QEMU's last words among it; Error(interrupted).
    CreatedDomain create(const Guest& guest, const CreateOptions& options) const override;
    // The same for one that waits for its state (migrate-incoming), which the operation `what` is to bring: from the
    // beginning on it does not outlive this process.
    Provisional create_incoming(const Guest& guest, const CreateOptions& options, const Arrival& arrival,
                                std::string_view what) const;
    // The same for one that boots as soon as its operation says try_run().
    Provisional create_on_trial(const Guest& guest, const CreateOptions& options, std::string_view what) const;

    // All domains by id. What is found dead (a killed supervisor whose QEMU has ended too) is cleaned away; a QEMU
    // whose supervisor has died gets a new one.
    std::vector<DomainInfo> list() const override;

    bool is_running(const std::string& name) const override;  // its supervisor or its QEMU lives

    std::string configuration_json(const DomainInfo& domain) const override;

    void shutdown(const std::string& name) const override;
    void reboot(const std::string& name) const override;  // on_reboot says what follows the power-off
    void destroy(const std::string& name) const override;
    void pause(const std::string& name) const override;
    void unpause(const std::string& name) const override;
    void rename(const std::string& name, const std::string& new_name) const override;

    // What it was started with, and what has been changed since: what a restart gives it.
    Guest configuration(const std::string& name) const;
    // Records a change that has been made to the running domain by its monitor().
    void record_change(const std::string& name, const Guest& guest) const;
    Monitor monitor(const std::string& name) const;
    Operation operate(const std::string& name, std::string_view what) const;  // "save": what others are told
    // For the steps of an operation: who takes it back waits until this one is let go.
    Monitor monitor(Operation& operation) const;
    // Until the domain is gone. Throws Error(interrupted).
    bool wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const override;

    // What is kept of its console, 2 MiB at most: of one that runs, or of the last of that name or id that ended.
    // Throws Error(hypervisor) when there was none.
    std::string console_log(const std::string& name) const;

    Console open_console(const std::string& name, ConsoleMode mode) const override;

    const StateDir& state() const { return state_; }

  private:
    // Its supervisor's end of the channel, which it watches until a guest runs or an operation has begun.
    struct Started {
        CreatedDomain created;
        os::Fd channel;
    };
    Started start(LaunchRequest order, const CreateOptions& options) const;
    Provisional start_provisional(LaunchRequest order, const CreateOptions& options, std::string_view what) const;
    std::optional<DomainInfo> inspect(const std::string& name) const;  // under state_.lock()
    void adopt_orphans() const;
    void wait_for_pause(const std::string& name, bool paused) const;
    bool is_ended_by_its_supervisor(const std::string& name, std::chrono::milliseconds most) const;
    void end_processes_of(const std::string& name) const;
    DomainInfo supervised(const std::string& name, std::string_view verb) const;
    void request(const std::string& name, std::string_view what, std::string_view detail = "") const;

    StateDir state_;
};

}  // namespace vprov::hypervisor
