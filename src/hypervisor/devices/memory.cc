#include "hypervisor/devices/memory.h"

#include <charconv>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/devices/change.h"
#include "hypervisor/guest/qemu_devices.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::uint64_t balloon_mib(Monitor& monitor) {
    return monitor.execute("query-balloon").at("actual").get<std::uint64_t>() >> 20;
}

// What it is when it has stood still for a while, or has arrived.
std::uint64_t follow(Monitor& monitor, std::uint64_t target) {
    constexpr auto kStandstill = 5s;
    auto now = balloon_mib(monitor);
    for (auto deadline = Clock::now() + kStandstill; now != target && Clock::now() < deadline;) {
        std::this_thread::sleep_for(50ms);
        os::check_stop();
        if (const auto next = balloon_mib(monitor); next != now) {
            now = next;
            deadline = Clock::now() + kStandstill;
        }
    }
    return now;
}

}  // namespace

std::optional<std::uint64_t> parse_memory_mib(std::string_view text) {
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    constexpr std::uint64_t kMost = 1 << 30;  // keeps the shifts below in range
    if (failure != std::errc{} || end - stop > 1)
        return std::nullopt;
    switch (stop == end ? 'm' : *stop | 0x20) {
        case 'b':
            return number >> 20;
        case 'k':
            return number >> 10;
        case 'm':
            return number;
        case 'g':
            return number <= kMost ? std::optional(number << 10) : std::nullopt;
        case 't':
            return number <= kMost ? std::optional(number << 20) : std::nullopt;
        default:
            return std::nullopt;
    }
}

std::uint64_t set_memory(const Domains& domains, const std::string& name, std::uint64_t mib) {
    Change change(domains, name, "mem-set");
    const auto fail = [&](const std::string& cause) {
        return error(ErrorKind::hypervisor, "cannot set the memory of {}: {}", quote(change.name()), cause);
    };
    auto& guest = change.guest;
    const auto most = most_memory_mib(guest);
    if (mib == 0)
        throw fail("a guest needs some");
    if (mib > most)
        throw fail(fmt::format("it can have {} MiB at most (maxmem)", most));
    if (change.is_paused())
        throw fail("it is paused");
    auto& monitor = change.monitor();
    const auto before = balloon_mib(monitor);
    monitor.execute("balloon", {{"value", mib << 20}});
    const auto after = follow(monitor, mib);
    if (after == before && after != mib) {
        monitor.execute("balloon", {{"value", guest.memory_mib << 20}});
        throw fail("the guest does not follow: it has no balloon driver (virtio_balloon), or has not loaded it yet");
    }
    guest.maxmem_mib = most;
    guest.memory_mib = mib;
    change.record();
    return after;
}

}  // namespace vprov::hypervisor
