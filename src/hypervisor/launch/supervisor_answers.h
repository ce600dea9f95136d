// What commands hear from a supervisor, by its socket or the channel that it was started with. All throw
// Error(hypervisor) when nothing came in time, calling the supervisor `who`.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "hypervisor/launch/domain_record.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// All that comes up to its end. Throws Error(interrupted).
std::string read_to_end(const os::Fd& fd, std::chrono::seconds most, std::string_view who);

// The next line, without its end; "" when the other side has gone. A stop that is requested does not end it, for the
// line tells whether the domain stays.
std::string read_line(const os::Fd& fd, std::chrono::seconds most, std::string_view who);

// Sends the order by the channel of a supervisor that has just been started, and returns its answer, as JSON; "" when
// it has ended. A stop that is requested when the answer is on its way already is not obeyed: where Error(interrupted)
// is thrown, there is no domain, or soon will be none.
std::string give_order(const os::Fd& channel, const LaunchRequest& order);

}  // namespace vprov::hypervisor
