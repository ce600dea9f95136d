#include "hypervisor/launch/process_identity.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/text.h"

namespace vprov::hypervisor {
namespace {

// What /proc/.../stat says behind the command name, which may hold blanks and parentheses: field 3 is words[0].
std::vector<std::string> stat_words(const std::filesystem::path& stat) {
    std::vector<std::string> words;
    try {
        const auto text = os::read_file(stat);
        const auto end_of_name = text.rfind(')');
        if (end_of_name != std::string::npos)
            for (const auto word : split_words(std::string_view(text).substr(end_of_name + 1)))
                words.emplace_back(word);
    } catch (const Error&) {
        words.clear();  // it has ended
    }
    return words;
}

std::uint64_t field(const std::vector<std::string>& words, std::size_t number) {
    std::uint64_t value = 0;
    if (number - 3 < words.size())
        std::from_chars(words[number - 3].data(), words[number - 3].data() + words[number - 3].size(), value);
    return value;
}

std::string boot_id() {
    return std::string(trimmed(os::read_file("/proc/sys/kernel/random/boot_id")));
}

bool is_same(const ProcessIdentity& identity) {
    const auto words = stat_words(fmt::format("/proc/{}/stat", identity.pid));
    return !words.empty() && words[0] != "Z" && words[0] != "X" && field(words, 22) == identity.start_ticks &&
           boot_id() == identity.boot_id;
}

}  // namespace

ProcessIdentity identify_process(pid_t pid) {
    return {pid, field(stat_words(fmt::format("/proc/{}/stat", pid)), 22), boot_id()};
}

os::Fd open_process(const ProcessIdentity& identity) {
    if (identity.pid <= 0)
        return {};
    // first the descriptor, then the check: what it stands for cannot change any more
    os::Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0)));
    return fd.is_open() && is_same(identity) ? std::move(fd) : os::Fd();
}

bool is_alive(const ProcessIdentity& identity) {
    return open_process(identity).is_open();
}

bool wait_for_end(const os::Fd& pidfd, std::chrono::milliseconds most) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd waiting{pidfd.get(), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0)
            return true;
        if (ready == 0 && left <= 0)
            return false;
    }
}

void send_signal(const os::Fd& pidfd, int signal) noexcept {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

VcpuUsage vcpu_usage(pid_t qemu) {
    VcpuUsage usage;
    std::error_code none;
    std::uint64_t ticks = 0;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", qemu), none)) {
        std::string name;
        try {
            name = os::read_file(entry.path() / "comm");
        } catch (const Error&) {
            continue;
        }
        if (!name.starts_with("CPU "))
            continue;
        const auto words = stat_words(entry.path() / "stat");
        ticks += field(words, 14) + field(words, 15);
        usage.busy = usage.busy || (!words.empty() && words[0] == "R");
    }
    usage.seconds = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return usage;
}

}  // namespace vprov::hypervisor
