#include "hypervisor/devices/medium.h"

#include <charconv>
#include <filesystem>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/inserted_medium.h"
#include "hypervisor/launch/open_files.h"

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

// The descriptor sets that block nodes have open.
std::set<unsigned> sets_in_use(Monitor& monitor) {
    std::set<unsigned> sets;
    for (const auto& node : monitor.execute("query-named-block-nodes", {{"flat", true}})) {
        const auto file = node.value("file", "");
        unsigned set = 0;
        if (file.starts_with(kFdset) &&
            std::from_chars(file.data() + kFdset.size(), file.data() + file.size(), set).ec == std::errc{})
            sets.insert(set);
    }
    return sets;
}

}  // namespace

std::string put_in(Change& change, const GuestDisk& disk) {
    std::error_code none;
    if (const auto type = fs::status(disk.target, none).type();
        type != fs::file_type::regular && type != fs::file_type::block && type != fs::file_type::not_found)
        throw error(ErrorKind::hypervisor, "it is neither a file nor a block device");
    auto& monitor = change.monitor();
    auto node = free_node(monitor);
    std::vector<unsigned> sets;
    try {
        std::vector<DiskLayer> layers;
        for (const auto& image : open_images(disk.target, disk.format, disk.writable)) {
            sets.push_back(monitor.pass_file(image.file, image.path));
            layers.push_back({name_in_qemu(sets.back()), image.format, image.is_device});
        }
        change.make("blockdev-add", qemu_content(disk, node, layers));
    } catch (const Error&) {
        for (const auto set : sets) monitor.take_back_file(set);
        throw;
    }
    return node;
}

std::optional<std::string> medium_of(Change& change, const std::string& vdev) {
    const auto medium = inserted_medium(change.monitor(), vdev);
    return medium ? std::optional(medium->value("node-name", "")) : std::nullopt;
}

void take_out(Change& change, const std::string& node) {
    auto& monitor = change.monitor();
    const auto before = sets_in_use(monitor);
    monitor.execute("blockdev-del", {{"node-name", node}});
    const auto after = sets_in_use(monitor);
    for (const auto set : before)
        if (!after.contains(set))
            monitor.take_back_file(set);
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
