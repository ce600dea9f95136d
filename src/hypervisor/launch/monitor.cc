#include "hypervisor/launch/monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/qemu_process.h"
#include "hypervisor/launch/state_dir.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

os::Fd open_lock(const std::filesystem::path& directory) {
    return os::open_file(directory / "monitor.lock", O_RDWR | O_CREAT, 0600, ErrorKind::hypervisor);
}

os::Fd take_turn(const std::filesystem::path& directory, const std::string& domain,
                 std::chrono::milliseconds patience) {
    auto lock = open_lock(directory);
    const auto deadline = Clock::now() + patience;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        os::check_stop();
        if (Clock::now() >= deadline)
            throw error(ErrorKind::hypervisor, "cannot reach the monitor of {}: another command has it", quote(domain));
        std::this_thread::sleep_for(10ms);
    }
    return lock;
}

}  // namespace

Monitor::Monitor(const std::filesystem::path& domain_directory, std::string domain, Milliseconds patience)
    : domain_(std::move(domain)),
      lock_(take_turn(domain_directory, domain_, patience)),
      qmp_(connect_to(domain_directory, kMonitorSocket)) {
    const auto deadline = Clock::now() + kPatience;
    while (answers_.empty()) read_more(deadline, "its greeting");
    answers_.clear();
    execute("qmp_capabilities");
}

bool Monitor::is_free(const std::filesystem::path& domain_directory) {
    return ::flock(open_lock(domain_directory).get(), LOCK_EX | LOCK_NB) == 0;
}

nlohmann::json Monitor::execute(std::string_view command, const nlohmann::json& arguments, Milliseconds most) {
    qmp_.execute(command, arguments);
    return answer_to(command, most);
}

nlohmann::json Monitor::execute_with(const os::Fd& fd, std::string_view command, const nlohmann::json& arguments) {
    qmp_.execute(command, arguments, &fd);
    return answer_to(command, kPatience);
}

nlohmann::json Monitor::answer_to(std::string_view command, Milliseconds most) {
    const auto deadline = Clock::now() + most;
    while (answers_.empty()) read_more(deadline, command);
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    if (answer.contains("error"))
        throw Error(ErrorKind::hypervisor, answer["error"].value("desc", "QEMU refuses it"));
    return answer.value("return", nlohmann::json::object());
}

unsigned Monitor::pass_file(const os::Fd& fd, std::string_view path) {
    return execute_with(fd, "add-fd", {{"opaque", path}}).at("fdset-id").get<unsigned>();
}

void Monitor::take_back_file(unsigned set) {
    const auto known = execute("query-fdsets");
    if (std::any_of(known.begin(), known.end(), [&](const auto& one) { return one.value("fdset-id", 0U) == set; }))
        execute("remove-fd", {{"fdset-id", set}});
}

std::optional<Monitor::Event> Monitor::wait_for(const std::vector<std::string_view>& names, Milliseconds most) {
    const auto deadline = Clock::now() + most;
    for (;;) {
        while (!events_.empty()) {
            auto event = std::move(events_.front());
            events_.pop_front();
            if (std::find(names.begin(), names.end(), event.name) != names.end())
                return event;
        }
        if (Clock::now() >= deadline)
            return std::nullopt;
        try {
            read_more(deadline, "an event");
        } catch (const Error&) {
            if (!qmp_.is_open() || os::stop_requested())
                throw;
        }
    }
}

void Monitor::read_more(Clock::time_point deadline, std::string_view waiting_for) {
    if (!qmp_.is_open())  // its end has been read before, and poll(2) would wait for nothing
        throw error(ErrorKind::hypervisor, "the QEMU of {} has ended", quote(domain_));
    std::array<pollfd, 2> waiting = {{{qmp_.fd(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
        throw error(ErrorKind::hypervisor, "the QEMU of {} does not answer ({})", quote(domain_), waiting_for);
    ::poll(waiting.data(), waiting.size(), static_cast<int>(left));
    os::check_stop();
    for (auto& message : qmp_.receive()) {
        if (message.contains("event"))
            events_.push_back({message.value("event", ""), message.value("data", nlohmann::json::object())});
        else
            answers_.push_back(std::move(message));
    }
    if (!qmp_.is_open() && answers_.empty())
        throw error(ErrorKind::hypervisor, "the QEMU of {} has ended", quote(domain_));
}

}  // namespace vprov::hypervisor
