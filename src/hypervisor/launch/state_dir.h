// Where running domains keep their files: ROOT/lock, ROOT/next-id, ROOT/limits/TAP, ROOT/segments.lock,
// ROOT/dom/NAME/{lock, dom.json, request.json, socket, console.log}, ROOT/log/NAME.{log,id}.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/domain_record.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {

class StateDir {
  public:
    // Made with mode 0700 when missing. Throws Error(hypervisor) when it belongs to someone else.
    explicit StateDir(std::filesystem::path root);

    // $VPROV_STATE_DIR; or for root /run/vprov; or $XDG_RUNTIME_DIR/vprov; or /tmp/vprov-UID.
    static StateDir standard();

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path domain(std::string_view name) const { return root_ / "dom" / name; }
    std::filesystem::path lock_file(std::string_view name) const { return domain(name) / "lock"; }

    std::filesystem::path limits() const { return root_ / "limits"; }  // interface_limits.h's

    // Held while domains come and go, and while it is judged which of them live. Short.
    os::FileLock lock() const { return {root_ / "lock", os::FileLock::Mode::exclusive}; }
    unsigned take_id() const;                                       // under lock(); from 1
    std::vector<std::string> names() const;                         // sorted
    std::optional<DomainRecord> read(std::string_view name) const;  // nullopt: not there, or not written yet
    void write(const DomainRecord& record) const;
    // What it was started with, devices that were attached since included: ROOT/dom/NAME/request.json.
    std::optional<LaunchRequest> read_request(std::string_view name) const;
    void write(const LaunchRequest& request) const;
    // Its console's log stays: log_file(), until a domain of that name ends again.
    void remove(std::string_view name) const noexcept;
    std::filesystem::path log_file(std::string_view name) const { return root_ / "log" / fmt::format("{}.log", name); }
    // The name of the domain that ended with this id and has left a log; nullopt: none.
    std::optional<std::string> name_of_ended(std::string_view id) const;

    // True while the domain's supervisor lives. Under lock().
    bool is_supervised(std::string_view name) const { return os::FileLock::is_held(lock_file(name)); }

  private:
    std::filesystem::path root_;
};

// Stream sockets at DIRECTORY/NAME. However long the directory's path is, the address fits into sun_path: it is
// /proc/self/fd/N/NAME. Throw Error(hypervisor).
os::Fd listen_at(const std::filesystem::path& directory, const std::string& name);  // mode 0600
os::Fd connect_to(const std::filesystem::path& directory, const std::string& name);

// A listening socket and a client already in its queue: whoever is handed the listening end serves this client first,
// and the client sees the end of file as soon as the last holder of that end is gone.
struct ListeningPair {
    os::Fd listening, client;
};
ListeningPair make_listening_pair(const std::filesystem::path& directory, const std::string& name);

}  // namespace vprov::hypervisor
