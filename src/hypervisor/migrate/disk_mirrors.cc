#include "hypervisor/migrate/disk_mirrors.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/inserted_medium.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::string_view kJob = "vprov-copy-";

json block_of(Monitor& monitor, std::string_view vdev) {
    if (auto medium = inserted_medium(monitor, vdev))
        return *medium;
    throw error(ErrorKind::hypervisor, "QEMU does not know its disk {}", quote(vdev));
}

std::uint64_t size_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        throw error(ErrorKind::hypervisor, "its file {} cannot be copied: it is no file", quote(path));
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

std::vector<FileCopy> copies_of(const Guest& guest, Monitor& monitor) {
    std::vector<FileCopy> copies;
    for (unsigned i = 0; i < guest.disks.size(); ++i) {
        const auto& disk = guest.disks[i];
        if (disk.target.empty())
            continue;
        if (!disk.writable && disk.format != DiskFormat::raw)
            throw error(ErrorKind::hypervisor, "its disk {} is read-only and not raw, and cannot be copied",
                        quote(disk.vdev));
        if (!disk.writable) {
            copies.push_back({disk.target, size_of(disk.target), "", i});
            continue;
        }
        const auto block = block_of(monitor, disk.vdev);
        copies.push_back({disk.target, block.at("image").at("virtual-size").get<std::uint64_t>(),
                          block.at("drv").get<std::string>(), i});
    }
    for (const auto& file : {guest.kernel, guest.ramdisk})
        if (!file.empty())
            copies.push_back({file, size_of(file), "", 0});
    return copies;
}

DiskMirrors::DiskMirrors(Monitor& monitor) : monitor_(monitor) {
    for (const auto& job : monitor_.execute("query-jobs"))
        if (const auto id = job.value("id", ""); id.starts_with(kJob))
            jobs_.push_back(id);
    give_up();
    jobs_.clear();
}

DiskMirrors::~DiskMirrors() {
    give_up();
}

void DiskMirrors::start(std::string_view vdev, const os::Fd& nbd, const std::string& name) {
    const auto job = fmt::format("{}{}", kJob, vdev);
    monitor_.execute_with(nbd, "getfd", {{"fdname", job}});
    monitor_.execute("blockdev-add", {{"driver", "nbd"},
                                      {"node-name", job},
                                      {"server", {{"type", "fd"}, {"str", job}}},
                                      {"export", name},
                                      {"discard", "unmap"}});
    jobs_.push_back(job);
    monitor_.execute("blockdev-mirror", {{"job-id", job},
                                         {"device", block_of(monitor_, vdev).at("node-name")},
                                         {"target", job},
                                         {"sync", "full"},
                                         {"auto-dismiss", false}});
}

// Bytes that are not copied yet.
std::size_t DiskMirrors::left() {
    std::size_t bytes = 0;
    for (const auto& job : monitor_.execute("query-jobs")) {
        if (std::find(jobs_.begin(), jobs_.end(), job.value("id", "")) == jobs_.end())
            continue;
        if (job.contains("error"))
            throw error(ErrorKind::hypervisor, "its disk {} cannot be copied: {}",
                        quote(job.value("id", "").substr(kJob.size())), job.value("error", ""));
        const auto status = job.value("status", "");
        if (status == "concluded")
            continue;
        const auto total = job.value("total-progress", std::size_t{}), done = job.value("current-progress", total);
        bytes += std::max<std::size_t>(total - std::min(total, done), status == "ready" ? 0 : 1);
    }
    return bytes;
}

void DiskMirrors::wait_until_near(const std::function<void()>& meanwhile) {
    constexpr std::size_t kLittle = 8 << 20;
    constexpr auto kMostChasing = 10s;  // a guest that writes faster than the line is has to wait in the end
    std::optional<std::chrono::steady_clock::time_point> ready;
    for (;; std::this_thread::sleep_for(20ms)) {
        os::check_stop();
        meanwhile();
        const auto bytes = left();
        const auto jobs = monitor_.execute("query-jobs");
        const bool all_ready = std::none_of(jobs.begin(), jobs.end(), [](const json& job) {
            return job.value("id", "").starts_with(kJob) && job.value("status", "") != "ready";
        });
        const auto now = std::chrono::steady_clock::now();
        if (all_ready && !ready)
            ready = now;
        if (ready && (bytes <= kLittle || now - *ready >= kMostChasing))
            return;
    }
}

void DiskMirrors::finish(const std::function<void()>& meanwhile) {
    for (const auto& job : jobs_) monitor_.execute("block-job-cancel", {{"device", job}});  // of a ready one: its end
    const auto is_running = [this] {
        left();  // throws for one that failed
        const auto jobs = monitor_.execute("query-jobs");
        return std::any_of(jobs.begin(), jobs.end(), [](const json& job) {
            return job.value("id", "").starts_with(kJob) && job.value("status", "") != "concluded";
        });
    };
    constexpr auto kMost = 60s;  // a guest stands still meanwhile
    const auto deadline = std::chrono::steady_clock::now() + kMost;
    while (is_running()) {
        os::check_stop();
        meanwhile();
        if (std::chrono::steady_clock::now() >= deadline)
            throw error(ErrorKind::hypervisor, "the last of its disks is not copied within {} s", kMost.count());
        std::this_thread::sleep_for(2ms);
    }
    for (const auto& job : jobs_) {
        monitor_.execute("job-dismiss", {{"id", job}});
        monitor_.execute("blockdev-del", {{"node-name", job}});
    }
    jobs_.clear();
}

// Each step may be refused: what it is for is not there, or not any more.
void DiskMirrors::give_up() noexcept {
    const auto try_to = [this](const char* command, const json& arguments) {
        try {
            monitor_.execute(command, arguments);
            return true;
        } catch (const Error&) {
            return false;
        }
    };
    for (const auto& job : jobs_) {
        try_to("block-job-cancel", {{"device", job}, {"force", true}});
        for (int i = 0; i < 100 && !try_to("job-dismiss", {{"id", job}}); ++i) std::this_thread::sleep_for(10ms);
        try_to("blockdev-del", {{"node-name", job}});
    }
    jobs_.clear();
}

}  // namespace vprov::hypervisor
