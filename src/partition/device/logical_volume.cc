#include "partition/device/logical_volume.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr const char* kUnfinished = ".vprov-unfinished";

os::Command lvm(std::vector<std::string> argv) {
    os::Command command;
    command.argv = std::move(argv);
    command.environment = os::clean_environment();
    command.environment["LVM_SUPPRESS_FD_WARNINGS"] = "1";
    return command;
}

std::string path_of(const VolumeName& name) {
    return name.group + "/" + name.volume;
}

VolumeName unfinished(const VolumeName& name) {
    return {name.group, name.volume + kUnfinished};
}

std::string run(const os::Command& command, std::string_view purpose, os::CommandRunner& runner) {
    os::CommandResult result;
    try {
        result = runner.run(command);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(ErrorKind::disk, "cannot {}: {} (install lvm2)", purpose, e.message());
    }
    if (!result.ok())
        throw error(ErrorKind::disk, "cannot {}: {}", purpose, os::describe_failure(command, result));
    return result.output;
}

void remove_unfinished(const VolumeName& name, os::CommandRunner& runner) {
    const auto purpose = fmt::format("make volume {}", quote(path_of(name)));
    const auto text = run(list_volumes(name.group), purpose, runner);
    const auto names = split_words(text);
    const auto left = unfinished(name);
    if (std::find(names.begin(), names.end(), left.volume) != names.end())
        run(remove_volume(left), purpose, runner);
}

}  // namespace

std::optional<VolumeName> volume_name_of(const std::filesystem::path& device) {
    const auto text = device.native();
    const auto parts = split(text, '/');
    if (parts.size() != 4 || !parts[0].empty() || parts[1] != "dev" || parts[2] == "mapper" || parts[2] == "disk")
        return std::nullopt;
    return VolumeName{std::string(parts[2]), std::string(parts[3])};
}

os::Command free_room(const VolumeName& name) {
    return lvm({"vgs", "--noheadings", "--nosuffix", "--units", "b", "-o", "vg_free,vg_extent_size", name.group});
}

os::Command create_volume(const VolumeName& name, Bytes size) {
    return lvm({"lvcreate", "--yes", "--quiet", "--wipesignatures", "y", "--name", name.volume, "--size",
                fmt::format("{}b", size.value), name.group});
}

os::Command rename_volume(const VolumeName& name, const std::string& to) {
    return lvm({"lvrename", "--quiet", name.group, name.volume, to});
}

os::Command remove_volume(const VolumeName& name) {
    return lvm({"lvremove", "--yes", "--quiet", path_of(name)});
}

os::Command list_volumes(const std::string& group) {
    return lvm({"lvs", "--noheadings", "-o", "lv_name", group});
}

void check_group(const VolumeName& name, Bytes size, os::CommandRunner& runner) {
    const auto text = run(free_room(name), fmt::format("make volume {}", quote(path_of(name))), runner);
    const auto words = split_words(text);
    const auto free = words.size() == 2 ? parse_bytes(words[0]) : std::nullopt;
    const auto extent = words.size() == 2 ? parse_bytes(words[1]) : std::nullopt;
    if (!free || !extent || extent->value == 0)
        throw error(ErrorKind::disk, "cannot make volume {}: vgs says {}", quote(path_of(name)), quote(trimmed(text)));
    const auto needed = (size.value + extent->value - 1) / extent->value * extent->value;
    if (needed > free->value)
        throw error(ErrorKind::disk, "cannot make volume {} of {}: {} bytes are missing in {}", quote(path_of(name)),
                    exact({needed}), needed - free->value, quote(name.group));
}

LogicalVolume::LogicalVolume(VolumeName name, Bytes size, os::CommandRunner& runner)
    : name_(std::move(name)), runner_(runner) {
    remove_unfinished(name_, runner_);
    check_group(name_, size, runner_);
    run(create_volume(unfinished(name_), size), fmt::format("make volume {}", quote(path_of(name_))), runner_);
}

LogicalVolume::~LogicalVolume() {
    if (published_)
        return;
    try {
        runner_.run(remove_volume(unfinished(name_)));
    } catch (...) {
        return;  // the next build removes it
    }
}

std::filesystem::path LogicalVolume::device() const {
    const auto name = unfinished(name_);
    return std::filesystem::path("/dev") / name.group / name.volume;
}

void LogicalVolume::publish() {
    run(rename_volume(unfinished(name_), name_.volume), fmt::format("name volume {}", quote(path_of(name_))), runner_);
    published_ = true;
}

}  // namespace vprov::partition
