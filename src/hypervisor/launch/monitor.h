// A running QEMU's second monitor, for what commands ask of it; the first is its supervisor's alone.
//
// QEMU serves one client of a monitor at a time and lets the others hang, so a lock in the domain's directory decides
// whose turn it is. Commands and events: QEMU's qapi, "QEMU QMP Reference Manual".
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/qmp.h"
#include "os/fd.h"

namespace vprov::hypervisor {

class Monitor {
  public:
    using Milliseconds = std::chrono::milliseconds;
    static constexpr Milliseconds kPatience{10000};

    // Waits for its turn. Throws Error(hypervisor) when the domain has no running QEMU, or somebody else has had the
    // monitor for `patience`; Error(interrupted).
    Monitor(const std::filesystem::path& domain_directory, std::string domain, Milliseconds patience = kPatience);

    static bool is_free(const std::filesystem::path& domain_directory);  // nobody has it now

    // What the command returns. Throws Error(hypervisor) "cannot VERB...": the text of QEMU's refusal, which it calls
    // desc; also when QEMU ends or does not answer in `most`. Error(interrupted).
    nlohmann::json execute(std::string_view command, const nlohmann::json& arguments = nlohmann::json::object(),
                           Milliseconds most = kPatience);

    // The same with a descriptor passed along: for getfd and add-fd.
    nlohmann::json execute_with(const os::Fd& fd, std::string_view command, const nlohmann::json& arguments);

    // Gives QEMU, which has no right to open any other, an open file. It opens it by the name that name_in_qemu() makes
    // of the result, and only in the way in which `fd` is open. `path`: what it is told that it is.
    unsigned pass_file(const os::Fd& fd, std::string_view path);
    void take_back_file(unsigned set);  // closed once nothing in QEMU uses it; not there any more is fine

    struct Event {
        std::string name;
        nlohmann::json data;
    };
    // The first event of one of these names that has come since the last call, or comes; nullopt: none in `most`.
    std::optional<Event> wait_for(const std::vector<std::string_view>& names, Milliseconds most);

  private:
    nlohmann::json answer_to(std::string_view command, Milliseconds most);
    void read_more(std::chrono::steady_clock::time_point deadline, std::string_view waiting_for);

    std::string domain_;
    os::Fd lock_;
    QmpConnection qmp_;
    std::deque<nlohmann::json> answers_;
    std::deque<Event> events_;
};

}  // namespace vprov::hypervisor
