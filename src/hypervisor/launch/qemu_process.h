// One running QEMU: its process, monitor, console and what it complains about. Owned by the domain's supervisor.
#pragma once

#include <poll.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/confinement.h"
#include "hypervisor/launch/process_identity.h"
#include "hypervisor/launch/qmp.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// The sockets that a QEMU is started with: QEMU's end listens and already has its client, so that nobody has to wait
// for a path to appear, and a QEMU that dies at once is seen as an end of file.
struct QemuChannels {
    os::Fd qmp_listening, qmp, console_listening, console;
    os::Fd monitor_listening;  // Monitor's
    os::Fd agent_listening;    // not open for a guest without an agent
};
QemuChannels make_qemu_channels(const std::filesystem::path& directory, bool has_agent);
inline constexpr const char* kMonitorSocket = "monitor.sock";
inline constexpr const char* kAgentSocket = "agent.sock";

class QemuProcess {
  public:
    // Starts argv with the descriptors `inherited` open (under their numbers), null, one pipe for its words and no
    // other; as `confinement` says. The program is not executed before `known` has returned: it records the process, so
    // that no QEMU runs unrecorded. QEMU does not die with its parent. Throws Error(hypervisor) when it cannot be
    // executed.
    QemuProcess(const std::vector<std::string>& argv, const std::vector<int>& inherited, QemuChannels channels,
                const std::optional<Confinement>& confinement,
                const std::function<void(const ProcessIdentity&)>& known);
    // One that runs already, whose supervisor has died. Throws Error(hypervisor) when it has ended, or its sockets do
    // not answer. It cannot be reaped, being init's child: ended() gives 0.
    QemuProcess(const ProcessIdentity& running, const std::filesystem::path& directory);
    ~QemuProcess();  // ends it when it still runs
    QemuProcess(const QemuProcess&) = delete;
    QemuProcess& operator=(const QemuProcess&) = delete;

    const ProcessIdentity& identity() const { return identity_; }
    const os::Fd& pidfd() const { return pidfd_; }
    QmpConnection& qmp() { return qmp_; }
    const os::Fd& console() const { return console_; }
    os::Fd& complaints() { return complaints_; }

    std::string read_console();                // "" when nothing is there; closes console() at its end
    void write_console(std::string& pending);  // removes what was taken
    void read_complaints();
    const std::string& complaint() const { return complaint_; }  // the last 8 KiB of standard error

    // The wait status once it has ended: reaps it.
    std::optional<int> ended();
    void kill() noexcept;

  private:
    ProcessIdentity identity_;
    os::Fd pidfd_, console_, complaints_;
    QmpConnection qmp_;
    std::string complaint_;
    std::optional<int> status_;
    bool is_child_ = true;
};

}  // namespace vprov::hypervisor
