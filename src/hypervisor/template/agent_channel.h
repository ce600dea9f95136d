// Requests to the agent in a running guest (src/agent/agent.h tells which), and its answers.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hypervisor/launch/domains.h"
#include "os/fd.h"

namespace vprov::hypervisor {

using AgentValues = std::vector<std::pair<std::string, std::string>>;
using AgentAnswer = std::map<std::string, std::string, std::less<>>;

class AgentChannel {
  public:
    // Throws Error(hypervisor) when the domain has no port for an agent. All that waits throws, too, when the domain
    // has ended or stands still because the host's disk is full.
    AgentChannel(const Domains& domains, const std::string& domain);

    // Until there is an agent that answers. Throws Error(hypervisor) when none has in `most`; Error(interrupted).
    AgentAnswer wait_for_agent(std::chrono::seconds most);

    // The agent obeys in order; what has been sent is answered in order.
    void send(std::string_view command, const AgentValues& values = {});
    // To the oldest that has not been answered. Throws Error(hypervisor): what the agent says is wrong, or that it does
    // not answer in `most`; Error(interrupted).
    AgentAnswer answer(std::chrono::seconds most);
    // To all that have not been answered but the last `but`.
    void answers(std::chrono::seconds most, std::size_t but);
    AgentAnswer ask(std::string_view command, const AgentValues& values, std::chrono::seconds most);

  private:
    bool read_line(std::string& line, std::chrono::steady_clock::time_point deadline);
    void check_domain() const;

    const Domains& domains_;
    std::string domain_;
    os::Fd socket_;
    std::string unread_;
    unsigned sent_ = 0, answered_ = 0;
};

}  // namespace vprov::hypervisor
