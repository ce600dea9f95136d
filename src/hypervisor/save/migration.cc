#include "hypervisor/save/migration.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDescriptor = "vprov-state";
constexpr auto kPoll = 2ms;  // a guest may stand still meanwhile

// "active", "completed", ...: QEMU's MigrationStatus.
std::string migration_status(Monitor& monitor) {
    const auto answer = monitor.execute("query-migrate");
    auto status = answer.value("status", "");
    if (status == "failed" || status == "cancelled" || status == "cancelling" || status == "postcopy-paused")
        throw Error(ErrorKind::hypervisor, answer.value("error-desc", "QEMU has given it up"));
    return status;
}

void wait_until(const std::function<bool()>& is_done, const std::function<void()>& meanwhile) {
    for (; !is_done(); std::this_thread::sleep_for(kPoll)) {
        os::check_stop();
        if (meanwhile)
            meanwhile();
    }
}

}  // namespace

QemuVersion query_qemu(Monitor& monitor) {
    constexpr std::string_view kSuffix = "-machine";
    const auto version = monitor.execute("query-version")["qemu"];
    const auto type = monitor.execute("qom-get", {{"path", "/machine"}, {"property", "type"}}).get<std::string>();
    return {fmt::format("{}.{}.{}", version.value("major", 0), version.value("minor", 0), version.value("micro", 0)),
            type.ends_with(kSuffix) ? type.substr(0, type.size() - kSuffix.size()) : type};
}

void choose_stream(Monitor& monitor, StateStream stream, StreamEnd end) {
    auto capabilities = nlohmann::json::array();
    const auto set = [&](const char* name, bool on) { capabilities.push_back({{"capability", name}, {"state", on}}); };
    set("x-ignore-shared", stream == StateStream::devices);
    set("postcopy-ram", stream == StateStream::following);
    set("pause-before-switchover", stream == StateStream::live && end == StreamEnd::source);
    set("late-block-activate", end == StreamEnd::late_target);
    monitor.execute("migrate-set-capabilities", {{"capabilities", capabilities}});
}

// After a migration QEMU (7.2) refuses the next one until the guest has run again, if only for a moment.
void stop_guest(Monitor& monitor) {
    if (monitor.execute("query-status").value("status", "") == "postmigrate")
        monitor.execute("cont");
    monitor.execute("stop");
}

// QEMU refuses until it has wound up a migration, also one that is cancelled.
void resume_guest(Monitor& monitor) {
    constexpr auto kMost = 30s;
    const auto deadline = std::chrono::steady_clock::now() + kMost;
    monitor.execute("migrate_cancel");
    for (;; std::this_thread::sleep_for(kPoll)) {
        try {
            monitor.execute("cont");
            return;
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted || std::chrono::steady_clock::now() >= deadline)
                throw;
        }
    }
}

void begin_sending(Monitor& monitor, const os::Fd& file, StateStream stream) {
    constexpr std::uint64_t kUnlimited = std::uint64_t(1) << 60;
    constexpr int kDowntime = 100;  // ms; where memory is sent while the guest runs
    monitor.execute("migrate-set-parameters", {{"max-bandwidth", kUnlimited}, {"downtime-limit", kDowntime}});
    monitor.execute_with(file, "getfd", {{"fdname", kDescriptor}});
    monitor.execute("migrate", {{"uri", fmt::format("fd:{}", kDescriptor)}});
    if (stream == StateStream::following)
        monitor.execute("migrate-start-postcopy");
}

void begin_loading(Monitor& monitor, const os::Fd& file) {
    monitor.execute_with(file, "getfd", {{"fdname", kDescriptor}});
    monitor.execute("migrate-incoming", {{"uri", fmt::format("fd:{}", kDescriptor)}});
}

void wait_until_sent(Monitor& monitor, const std::function<void()>& meanwhile, const std::function<void()>& stopped) {
    constexpr const char* kStopped = "pre-switchover";
    const auto is_sent = [&] {
        const auto status = migration_status(monitor);
        if (status == kStopped) {
            if (stopped)
                stopped();
            monitor.execute("migrate-continue", {{"state", kStopped}});
        }
        return status == "completed";
    };
    wait_until(is_sent, meanwhile);
}

void wait_until_loaded(Monitor& monitor, StateStream stream, const std::function<void()>& meanwhile) {
    const auto is_loaded = [&] {
        const auto status = migration_status(monitor);
        return status == "completed" || (stream == StateStream::following && status == "postcopy-active" &&
                                         monitor.execute("query-status").value("status", "") != "inmigrate");
    };
    wait_until(is_loaded, meanwhile);
}

void migrate_to(Monitor& monitor, const os::Fd& file, const std::function<void()>& meanwhile) {
    choose_stream(monitor, StateStream::whole, StreamEnd::source);
    begin_sending(monitor, file, StateStream::whole);
    wait_until_sent(monitor, meanwhile);
}

void migrate_from(Monitor& monitor, const os::Fd& file) {
    choose_stream(monitor, StateStream::whole, StreamEnd::target);
    begin_loading(monitor, file);
    wait_until_loaded(monitor, StateStream::whole);
}

}  // namespace vprov::hypervisor
