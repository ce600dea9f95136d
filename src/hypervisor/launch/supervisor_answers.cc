#include "hypervisor/launch/supervisor_answers.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>

#include "base/error.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

enum class WhenStopped { throws, waits_on };

// What comes next into `buffer`, and how much; 0: the other side has gone. Throws Error(interrupted) when a stop is
// requested, Error(hypervisor) when nothing came in `most` before `deadline`.
std::size_t receive(const os::Fd& fd, std::span<char> buffer, Clock::time_point deadline, std::chrono::seconds most,
                    std::string_view who, WhenStopped when_stopped = WhenStopped::throws) {
    for (;;) {
        const int stop = when_stopped == WhenStopped::throws ? os::stop_fd() : -1;
        std::array<pollfd, 2> waiting = {{{fd.get(), POLLIN, 0}, {stop, POLLIN, 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            throw error(ErrorKind::hypervisor, "{} does not answer within {} s", who, most.count());
        ::poll(waiting.data(), waiting.size(), static_cast<int>(left));
        if (when_stopped == WhenStopped::throws)
            os::check_stop();
        if (!waiting[0].revents)
            continue;
        const auto count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
}

}  // namespace

std::string read_to_end(const os::Fd& fd, std::chrono::seconds most, std::string_view who) {
    const auto deadline = Clock::now() + most;
    std::array<char, 4096> buffer{};
    std::string text;
    while (const auto count = receive(fd, buffer, deadline, most, who)) text.append(buffer.data(), count);
    return text;
}

std::string read_line(const os::Fd& fd, std::chrono::seconds most, std::string_view who) {
    const auto deadline = Clock::now() + most;
    std::string line;
    for (char c = 0; receive(fd, {&c, 1}, deadline, most, who, WhenStopped::waits_on) == 1; line += c)
        if (c == '\n')
            return line;
    return "";
}

std::string give_order(const os::Fd& channel, const LaunchRequest& order) {
    constexpr auto kMostTime = 90s;
    constexpr std::string_view kEnd = "\n}\n";
    os::send_all(channel, to_json(order), "the order to the supervisor", ErrorKind::hypervisor);
    ::shutdown(channel.get(), SHUT_WR);
    const auto deadline = Clock::now() + kMostTime;
    std::array<char, 4096> buffer{};
    std::string text;
    try {
        while (!text.ends_with(kEnd)) {
            const auto count = receive(channel, buffer, deadline, kMostTime, "the supervisor");
            if (count == 0)
                break;
            text.append(buffer.data(), count);
        }
    } catch (const Error&) {
        ::shutdown(channel.get(), SHUT_RDWR);
        for (ssize_t count = 0; (count = ::recv(channel.get(), buffer.data(), buffer.size(), 0)) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(count));
        if (!text.ends_with(kEnd))
            throw;
    }
    return text;
}

}  // namespace vprov::hypervisor
