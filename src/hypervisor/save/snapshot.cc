#include "hypervisor/save/snapshot.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/inserted_medium.h"
#include "hypervisor/save/migration.h"

namespace vprov::hypervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto kMostTime = 10min;  // for one job; a disk that is slow and a guest that is large

// The images that a snapshot is in, in the order of the guest's disks.
struct Images {
    std::vector<std::string> nodes;  // QEMU's names
    std::vector<json> snapshots;     // of each: image.snapshots of query-block
};

Images images_of(const Guest& guest, Monitor& monitor) {
    Images images;
    for (const auto& disk : guest.disks) {
        if (disk.target.empty() || !disk.writable || disk.cdrom)
            continue;
        if (disk.format != DiskFormat::qcow2)
            throw error(ErrorKind::hypervisor,
                        "its disk {} is not qcow2, which alone holds snapshots (with the domain shut down: qemu-img "
                        "convert -O qcow2 {} NEW, and format=qcow2,target=NEW in its configuration)",
                        quote(disk.vdev), shell_quote(disk.target));
        const auto medium = inserted_medium(monitor, disk.vdev);
        if (!medium)
            throw error(ErrorKind::hypervisor, "QEMU does not know its disk {}", quote(disk.vdev));
        images.nodes.push_back(medium->value("node-name", ""));
        images.snapshots.push_back(medium->value("/image/snapshots"_json_pointer, json::array()));
    }
    if (images.nodes.empty())
        throw Error(ErrorKind::hypervisor, "it has no writable disk, in which snapshots are kept");
    return images;
}

const json* find_snapshot(const json& list, std::string_view name) {
    for (const auto& snapshot : list)
        if (snapshot.value("name", "") == name)
            return &snapshot;
    return nullptr;
}

bool any_has(const Images& images, const std::string& name) {
    return std::any_of(images.snapshots.begin(), images.snapshots.end(),
                       [&](const json& list) { return find_snapshot(list, name); });
}

bool all_have(const Images& images, const std::string& name) {
    return std::all_of(images.snapshots.begin(), images.snapshots.end(),
                       [&](const json& list) { return find_snapshot(list, name); });
}

constexpr const char* kJob = "vprov-snapshot";

void begin_job(Monitor& monitor, std::string_view command, json arguments) {
    arguments["job-id"] = kJob;
    monitor.execute(command, arguments);
}

// To its end. While QEMU (7.2) reads or writes memory it answers nobody, nor does it when its guest is large.
void finish_job(Monitor& monitor) {
    const auto deadline = std::chrono::steady_clock::now() + kMostTime;
    for (;; std::this_thread::sleep_for(5ms)) {
        const auto jobs = monitor.execute("query-jobs", json::object(), kMostTime);
        const auto job =
            std::find_if(jobs.begin(), jobs.end(), [](const json& j) { return j.value("id", "") == kJob; });
        if (job == jobs.end())
            throw Error(ErrorKind::hypervisor, "QEMU has lost it");
        if (job->value("status", "") == "concluded") {
            const auto flaw = job->value("error", "");
            monitor.execute("job-dismiss", {{"id", kJob}});
            if (!flaw.empty())
                throw Error(ErrorKind::hypervisor, flaw);
            return;
        }
        if (std::chrono::steady_clock::now() >= deadline)
            throw error(ErrorKind::hypervisor, "it is not done within {} min", kMostTime.count());
    }
}

void run_job(Monitor& monitor, std::string_view command, json arguments) {
    begin_job(monitor, command, std::move(arguments));
    finish_job(monitor);
}

json job_arguments(const Images& images, const std::string& snapshot) {
    return {{"tag", snapshot}, {"vmstate", images.nodes.front()}, {"devices", images.nodes}};
}

void check_name(const std::string& snapshot) {
    if (!is_valid_guest_name(snapshot) || snapshot.find_first_not_of("0123456789") == std::string::npos)
        throw Error(ErrorKind::hypervisor,
                    "a snapshot's name has letters, digits and . _ + - only, and not only digits");
}

template <class Work>
auto with_context(std::string_view verb, const std::string& snapshot, const std::string& name, const Work& work) {
    try {
        return work();
    } catch (Error& e) {
        e.add_context(snapshot.empty()
                          ? fmt::format("cannot {} the snapshots of {}", verb, quote(name))
                          : fmt::format("cannot {} the snapshot {} of {}", verb, quote(snapshot), quote(name)));
        throw;
    }
}

[[noreturn]] void refuse_missing(const Images& images, const std::string& snapshot) {
    throw Error(ErrorKind::hypervisor, any_has(images, snapshot)
                                           ? "only some of its disks have it (vprov snapshot delete "
                                             "removes it from these)"
                                           : "there is none of that name");
}

}  // namespace

void create_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot) {
    with_context("create", snapshot, name, [&] {
        check_name(snapshot);
        auto operation = domains.operate(name, "snapshot create");
        const bool ran = domains.find(name).state[2] != 'p';
        auto monitor = domains.monitor(operation);
        const auto images = images_of(domains.configuration(name), monitor);
        if (any_has(images, snapshot))
            throw Error(ErrorKind::hypervisor, "there is one already");
        choose_stream(monitor, StateStream::whole, StreamEnd::source);
        monitor.execute("stop");
        try {
            run_job(monitor, "snapshot-save", job_arguments(images, snapshot));
        } catch (const Error&) {
            if (any_has(images_of(domains.configuration(name), monitor), snapshot))
                run_job(monitor, "snapshot-delete", {{"tag", snapshot}, {"devices", images.nodes}});
            throw;
        }
        ran ? operation.run() : operation.done();
    });
}

void revert_to_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot) {
    with_context("revert to", snapshot, name, [&] {
        auto operation = domains.operate(name, "snapshot revert");
        const bool ran = domains.find(name).state[2] != 'p';
        auto monitor = domains.monitor(operation);
        const auto images = images_of(domains.configuration(name), monitor);
        if (!all_have(images, snapshot))
            refuse_missing(images, snapshot);
        choose_stream(monitor, StateStream::whole, StreamEnd::source);
        monitor.execute("stop");
        begin_job(monitor, "snapshot-load", job_arguments(images, snapshot));
        try {
            finish_job(monitor);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;  // QEMU has not heard of that, and finishes
            operation.finish();
            throw error(ErrorKind::hypervisor,
                        "{} (the domain was ended: its disks are those of the snapshot, and its memory was not)",
                        e.message());
        }
        ran ? operation.run() : operation.done();
    });
}

void delete_snapshot(const Domains& domains, const std::string& name, const std::string& snapshot) {
    with_context("delete", snapshot, name, [&] {
        auto operation = domains.operate(name, "snapshot delete");
        auto monitor = domains.monitor(operation);
        const auto images = images_of(domains.configuration(name), monitor);
        if (!any_has(images, snapshot))
            refuse_missing(images, snapshot);
        run_job(monitor, "snapshot-delete", {{"tag", snapshot}, {"devices", images.nodes}});
        operation.done();
    });
}

std::vector<Snapshot> list_snapshots(const Domains& domains, const std::string& name) {
    return with_context("list", "", name, [&] {
        auto monitor = domains.monitor(name);
        const auto images = images_of(domains.configuration(name), monitor);
        std::vector<Snapshot> snapshots;
        for (const auto& one : images.snapshots.front()) {
            const auto tag = one.value("name", "");
            if (all_have(images, tag))
                snapshots.push_back({tag, one.value("vm-state-size", std::uint64_t{}),
                                     one.value("date-sec", std::int64_t{}),
                                     one.value("vm-clock-sec", 0.0) + one.value("vm-clock-nsec", 0.0) / 1e9});
        }
        std::stable_sort(snapshots.begin(), snapshots.end(),
                         [](const auto& a, const auto& b) { return a.taken < b.taken; });
        return snapshots;
    });
}

}  // namespace vprov::hypervisor
