// What runs domains on this host, whichever hypervisor does: one interface for QEMU (hypervisor/launch) and for Xen
// (hypervisor/xen). Names are those of running domains. Every verb throws Error(hypervisor) "cannot VERB NOUN: CAUSE".
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::hypervisor {

enum class EngineChoice { automatic, kvm, tcg };  // what QEMU runs the guest's instructions on

struct CreateOptions {
    std::string executable;  // this program; QEMU's: run as `EXECUTABLE supervise STATE_DIR NAME`
    EngineChoice engine = EngineChoice::automatic;
    std::filesystem::path folder = ".";  // relative paths of the guest are taken from here
    bool paused = false;                 // unpause() lets it begin
    bool memory_file = false;            // QEMU's: its memory is a file on every engine, as it always is in TCG
    bool sandbox = true;                 // QEMU's; false, for debugging: it runs as this user and is forbidden nothing
};

struct CreatedDomain {
    std::string name;
    unsigned id = 0;
    std::string engine;                 // "KVM", "TCG (KVM was tried: too slow)", "Xen (pvh)"
    std::vector<std::string> warnings;  // "bridge 'bridge0' does not exist: using user-mode networking (...)"
};

struct DomainInfo {
    std::string name;
    unsigned id = 0;
    std::uint64_t memory_mib = 0;
    unsigned vcpus = 0;
    std::string state;       // as xl list: six of "rbpscd" or '-': "r-----", "-b----", "---s--"
    double cpu_seconds = 0;  // of its vCPUs; with QEMU restarts included
    std::string engine;      // as in CreatedDomain
    bool supervised = true;  // false: QEMU runs, but the supervisor has died
    bool is_host = false;    // Xen's Domain-0, which no verb ends
};

// What became of the wait for a login prompt.
struct LoginWait {
    bool reached = false;
    double seconds = 0;
    std::string cause;       // not reached: why, as far as the console tells
    std::string last_lines;  // not reached: the end of the console, plain text
};

class DomainEngine {
  public:
    DomainEngine() = default;
    virtual ~DomainEngine() = default;

    // Returns when the guest runs. Nothing is left behind when it throws: Error(hypervisor), Error(interrupted).
    virtual CreatedDomain create(const Guest& guest, const CreateOptions& options) const = 0;

    virtual std::vector<DomainInfo> list() const = 0;  // all domains by id
    virtual bool is_running(const std::string& name) const = 0;
    // By name, or by id if no name is it. Throws Error(hypervisor) "cannot find a domain named 'x': ...".
    DomainInfo find(std::string_view name_or_id) const;

    // What the domain was made from and what has changed since, a JSON object: guest_json(), and on Xen "config" of
    // `xl list -l`.
    virtual std::string configuration_json(const DomainInfo& domain) const = 0;

    virtual void shutdown(const std::string& name) const = 0;  // presses the power button; the guest decides
    virtual void reboot(const std::string& name) const = 0;    // presses it too, and on_reboot says what follows
    virtual void destroy(const std::string& name) const = 0;   // returns when it is gone
    virtual void pause(const std::string& name) const = 0;
    virtual void unpause(const std::string& name) const = 0;
    virtual void rename(const std::string& name, const std::string& new_name) const = 0;

    // Changes to what runs. An engine that cannot make one says so: "cannot VERB 'NAME': ...".
    // What the guest has in MiB afterwards, which may be less far than `mib` so far. At most its maxmem.
    virtual std::uint64_t set_memory(const std::string& name, std::uint64_t mib) const;
    virtual void set_vcpus(const std::string& name, unsigned count) const;  // at most its maxvcpus
    virtual void attach_disk(const std::string& name, const GuestDisk& disk) const;
    virtual void detach_disk(const std::string& name, const std::string& vdev) const;
    // The medium in a drive that the guest has: "" for none.
    virtual void change_cd(const std::string& name, const std::string& vdev, const std::string& file) const;
    // Returns warnings: why it is not on its bridge.
    virtual std::vector<std::string> attach_interface(const std::string& name, const GuestInterface& interface) const;
    virtual void detach_interface(const std::string& name, const std::string& devid_or_mac) const;

    // Until the domain is gone; false when `most` is over before. Throws Error(interrupted).
    virtual bool wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const = 0;

    // An open console. Both calls are as read(2) and write(2) are, without SIGPIPE; 0 or an error other than EINTR and
    // EAGAIN is its end.
    struct Console {
        os::Fd stream;           // poll(2) it
        bool writable = false;   // false: somebody else writes, or nobody asked to
        std::size_t recent = 0;  // so many of the first bytes were said before
        // At its end: what else than the domain's end has ended it, "" if nothing. May own what serves the stream.
        std::function<std::string()> failure = {};

        ssize_t read(std::span<char> into) const;
        ssize_t write(std::string_view data) const;  // takes what fits without waiting
    };
    enum class ConsoleMode { read, write };
    virtual Console open_console(const std::string& name, ConsoleMode mode) const = 0;
    // Follows the console from the domain's start on. `on_line` gets each line as it is complete, as plain text.
    // Returns when the prompt stands there, the time is up, the domain has ended or its console says that it will not
    // come. Throws Error(interrupted); the domain is left as it is.
    LoginWait wait_for_login(const std::string& name, std::chrono::seconds most,
                             const std::function<void(std::string_view line)>& on_line = {}) const;

  protected:
    DomainEngine(const DomainEngine&) = default;
    DomainEngine& operator=(const DomainEngine&) = default;
};

}  // namespace vprov::hypervisor
