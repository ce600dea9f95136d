#include "os/interrupt.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>

#include "base/error.h"

namespace vprov::os {
namespace {

std::atomic<bool> g_stop{false};

int event_fd() noexcept {
    static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd;
}

extern "C" void on_stop_signal(int) {
    request_stop();
}

}  // namespace

void catch_stop_signals() {
    event_fd();
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, nullptr);
}

bool stop_requested() noexcept {
    return g_stop.load(std::memory_order_relaxed);
}

void check_stop() {
    if (stop_requested())
        throw Error(ErrorKind::interrupted, "interrupted");
}

int stop_fd() noexcept {
    return event_fd();
}

void detach_stop_requests() noexcept {
    const int own = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ::dup3(own, event_fd(), O_CLOEXEC);
    ::close(own);
    if (stop_requested())
        request_stop();
}

void request_stop() noexcept {
    g_stop.store(true, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_fd(), &one, sizeof one);
}

void forget_stop() noexcept {
    g_stop.store(false, std::memory_order_relaxed);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(event_fd(), &count, sizeof count);
}

}  // namespace vprov::os
