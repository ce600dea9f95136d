#include "hypervisor/devices/medium.h"

#include <fcntl.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_devices.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::string_view kFdset = "/dev/fdset/";

std::string free_node(Monitor& monitor) {
    std::set<std::string> taken;
    for (const auto& node : monitor.execute("query-named-block-nodes", {{"flat", true}}))
        taken.insert(node.value("node-name", ""));
    for (std::size_t i = 0;; ++i)
        if (auto name = fmt::format("disk{}", i); !taken.contains(name))
            return name;
}

std::optional<int> descriptor_set(std::string_view file) {
    int set = 0;
    if (!file.starts_with(kFdset))
        return std::nullopt;
    file.remove_prefix(kFdset.size());
    const auto [end, failure] = std::from_chars(file.data(), file.data() + file.size(), set);
    return failure == std::errc{} ? std::optional(set) : std::nullopt;
}

// query-block's "qdev": an id, or a path in QEMU's object tree.
bool is_of_device(std::string_view qdev, std::string_view id) {
    return qdev == id || qdev.find(fmt::format("/peripheral/{}/", id)) != std::string_view::npos;
}

}  // namespace

Medium put_in(Change& change, const GuestDisk& disk) {
    auto& monitor = change.monitor();
    const auto file = os::open_file(disk.target, disk.writable ? O_RDWR : O_RDONLY, 0, ErrorKind::hypervisor);
    std::error_code none;
    const bool is_device = fs::is_block_file(disk.target, none);
    if (!is_device && !fs::is_regular_file(disk.target, none))
        throw error(ErrorKind::hypervisor, "it is neither a file nor a block device");
    Medium medium{free_node(monitor), {}};
    medium.set = monitor.execute_with(file, "add-fd", {{"opaque", disk.target}}).at("fdset-id").get<int>();
    try {
        GuestDisk passed = disk;
        passed.target = fmt::format("{}{}", kFdset, *medium.set);
        change.make("blockdev-add", qemu_content(passed, medium.node, is_device));
    } catch (const Error&) {
        monitor.execute("remove-fd", {{"fdset-id", *medium.set}});
        throw;
    }
    return medium;
}

std::optional<Medium> medium_of(Change& change, const std::string& vdev) {
    for (const auto& block : change.monitor().execute("query-block")) {
        if (!is_of_device(block.value("qdev", ""), vdev) || !block.contains("inserted"))
            continue;
        const auto& inserted = block["inserted"];
        return Medium{inserted.value("node-name", ""), descriptor_set(inserted.value("file", ""))};
    }
    return std::nullopt;
}

void take_out(Change& change, const Medium& medium) {
    auto& monitor = change.monitor();
    monitor.execute("blockdev-del", {{"node-name", medium.node}});
    if (!medium.set)
        return;
    for (const auto& set : monitor.execute("query-fdsets"))
        if (set.value("fdset-id", -1) == *medium.set)
            monitor.execute("remove-fd", {{"fdset-id", *medium.set}});
}

void open_tray(Change& change, const std::string& vdev) {
    auto& monitor = change.monitor();
    try {
        monitor.execute("blockdev-open-tray", {{"id", vdev}});
        return;
    } catch (const Error& e) {
        if (e.message().find("is locked") == std::string::npos)
            throw;
    }
    if (!monitor.wait_for({"DEVICE_TRAY_MOVED"}, 3s))
        monitor.execute("blockdev-open-tray", {{"id", vdev}, {"force", true}});
}

}  // namespace vprov::hypervisor
