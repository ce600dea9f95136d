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
constexpr auto kPoll = 3ms;

void wait_for_completion(Monitor& monitor, const std::function<void()>& meanwhile) {
    for (;; std::this_thread::sleep_for(kPoll)) {
        os::check_stop();
        const auto answer = monitor.execute("query-migrate");
        const auto status = answer.value("status", "");
        if (status == "completed")
            return;
        if (status == "failed" || status == "cancelled" || status == "cancelling")
            throw Error(ErrorKind::hypervisor, answer.value("error-desc", "QEMU has given it up"));
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

void migrate_to(Monitor& monitor, const os::Fd& file, const std::function<void()>& meanwhile) {
    constexpr std::uint64_t kUnlimited = std::uint64_t(1) << 60;
    monitor.execute("migrate-set-parameters", {{"max-bandwidth", kUnlimited}});
    monitor.execute_with(file, "getfd", {{"fdname", kDescriptor}});
    monitor.execute("migrate", {{"uri", fmt::format("fd:{}", kDescriptor)}});
    wait_for_completion(monitor, meanwhile);
}

void migrate_from(Monitor& monitor, const os::Fd& file) {
    monitor.execute_with(file, "getfd", {{"fdname", kDescriptor}});
    monitor.execute("migrate-incoming", {{"uri", fmt::format("fd:{}", kDescriptor)}});
    wait_for_completion(monitor, {});
}

}  // namespace vprov::hypervisor
