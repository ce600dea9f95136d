#include "partition/device/logical_volume.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <map>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "partition/device/device_lock.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

constexpr const char* kUnfinished = ".vprov-unfinished";

os::Command lvm(std::vector<std::string> argv) {
    os::Command command;
    command.argv = std::move(argv);
    command.environment = os::clean_environment();
    command.environment["LVM_SUPPRESS_FD_WARNINGS"] = "1";
    return command;
}

// One that is ended in the middle leaves a volume suspended, and everybody who opens it waiting.
os::Command changing(std::vector<std::string> argv) {
    auto command = lvm(std::move(argv));
    command.runs_to_its_end = true;
    return command;
}

std::string path_of(const VolumeName& name) {
    return name.group + "/" + name.volume;
}

fs::path device_of(const VolumeName& name) {
    return fs::path("/dev") / name.group / name.volume;
}

VolumeName unfinished(const VolumeName& name) {
    return {name.group, name.volume + kUnfinished};
}

std::string run(const os::Command& command, std::string_view purpose, os::CommandRunner& runner) {
    return os::run_or_fail({ErrorKind::disk, "lvm2", fmt::format("cannot {}", purpose)}, command, runner).output;
}

std::string making(const VolumeName& name) {
    return fmt::format("make volume {}", quote(path_of(name)));
}

using Tags = std::vector<std::string>;

std::map<std::string, Tags> volumes_of(const VolumeName& name, os::CommandRunner& runner) {
    std::map<std::string, Tags> volumes;
    const auto text = run(list_volumes(name.group), making(name), runner);
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        if (words.empty())
            continue;
        auto& tags = volumes[std::string(words[0])];
        if (words.size() > 1)
            for (const auto tag : split(words[1], ',')) tags.emplace_back(tag);
    }
    return volumes;
}

void remove_left(const VolumeName& left, const VolumeName& name, os::CommandRunner& runner) {
    if (DeviceLock::is_held(device_of(left)))
        throw error(ErrorKind::disk, "cannot {}: another build is making it", making(name));
    run(remove_volume(left), making(name), runner);
}

struct Room {
    std::uint64_t free = 0, extent = 0;  // in bytes
};

Room room_of(const VolumeName& name, os::CommandRunner& runner) {
    const auto text = run(free_room(name.group), making(name), runner);
    const auto words = split_words(text);
    const auto free = words.size() == 2 ? parse_bytes(words[0]) : std::nullopt;
    const auto extent = words.size() == 2 ? parse_bytes(words[1]) : std::nullopt;
    if (!free || !extent || extent->value == 0)
        throw error(ErrorKind::disk, "cannot {}: vgs says {}", making(name), quote(trimmed(text)));
    return {free->value, extent->value};
}

}  // namespace

std::optional<VolumeName> volume_name_of(const fs::path& device) {
    const auto parts = split(device.native(), '/');
    if (parts.size() != 4 || !parts[0].empty() || parts[1] != "dev" || parts[2] == "mapper" || parts[2] == "disk")
        return std::nullopt;
    return VolumeName{std::string(parts[2]), std::string(parts[3])};
}

bool is_volume(const fs::path& device) {
    struct stat status {};
    if (::stat(device.c_str(), &status) != 0 || !S_ISBLK(status.st_mode))
        return false;
    const os::Fd uuid(
        ::open(fmt::format("/sys/dev/block/{}:{}/dm/uuid", gnu_dev_major(status.st_rdev), gnu_dev_minor(status.st_rdev))
                   .c_str(),
               O_RDONLY | O_CLOEXEC));
    return uuid.is_open() && os::read_file(uuid, device.native()).starts_with("LVM-");
}

os::Command free_room(const std::string& group) {
    return lvm({"vgs", "--noheadings", "--nosuffix", "--units", "b", "-o", "vg_free,vg_extent_size", group});
}

os::Command create_volume(const NewVolume& volume, const std::string& tag) {
    return changing({"lvcreate", "--yes", "--quiet", "--wipesignatures", "y", "--addtag", tag, "--name",
                     volume.name.volume, "--size", fmt::format("{}b", volume.size.value), volume.name.group});
}

os::Command rename_volume(const VolumeName& name, const std::string& to) {
    return changing({"lvrename", "--quiet", name.group, name.volume, to});
}

os::Command remove_volume(const VolumeName& name) {
    return changing({"lvremove", "--yes", "--quiet", path_of(name)});
}

os::Command untag_volume(const VolumeName& name, const std::string& tag) {
    return changing({"lvchange", "--quiet", "--deltag", tag, path_of(name)});
}

os::Command list_volumes(const std::string& group) {
    return lvm({"lvs", "--noheadings", "-o", "lv_name,lv_tags", group});
}

void settle_volume(const VolumeName& name, os::CommandRunner& runner) {
    const auto volumes = volumes_of(name, runner);
    const auto left = unfinished(name);
    if (volumes.contains(left.volume))
        remove_left(left, name, runner);
    const auto own = volumes.find(name.volume);
    if (own == volumes.end())
        return;
    for (const auto& tag : own->second) {
        const auto publication = Publication::parse(tag);
        if (!publication)
            continue;
        if (!publication->has_happened())
            return remove_left(name, name, runner);
        run(untag_volume(name, tag), making(name), runner);
    }
    if (!fs::exists(device_of(name)))
        throw error(ErrorKind::disk, "cannot use volume {0}: it is not active; 'lvchange --activate y {1}' makes it so",
                    quote(path_of(name)), path_of(name));
}

void check_groups(const std::vector<NewVolume>& volumes, os::CommandRunner& runner) {
    std::map<std::string, Room> rooms;
    for (const auto& [name, size] : volumes) {
        if (!rooms.contains(name.group))
            rooms[name.group] = room_of(name, runner);
        auto& room = rooms[name.group];
        const auto needed = (size.value + room.extent - 1) / room.extent * room.extent;
        if (needed > room.free)
            throw error(ErrorKind::disk, "cannot make volume {} of {}: {} bytes are missing in {}",
                        quote(path_of(name)), exact({needed}), needed - room.free, quote(name.group));
        room.free -= needed;
    }
}

LogicalVolume::LogicalVolume(NewVolume volume, const Publication& publication, os::CommandRunner& runner)
    : name_(std::move(volume.name)), tag_(publication.text()), runner_(runner) {
    settle_volume(name_, runner_);
    check_groups({{name_, volume.size}}, runner_);
    run(create_volume({unfinished(name_), volume.size}, tag_), making(name_), runner_);
}

LogicalVolume::~LogicalVolume() {
    if (kept_)
        return;
    try {
        runner_.run(remove_volume(current()));
    } catch (...) {
        return;  // the next build removes it
    }
}

VolumeName LogicalVolume::current() const {
    return named_ ? name_ : unfinished(name_);
}

fs::path LogicalVolume::device() const {
    return device_of(current());
}

void LogicalVolume::take_name() {
    run(rename_volume(current(), name_.volume), fmt::format("name volume {}", quote(path_of(name_))), runner_);
    named_ = true;
}

void LogicalVolume::keep() noexcept {
    kept_ = true;
    try {
        runner_.run(untag_volume(current(), tag_));
    } catch (...) {
        return;  // what is published says the same as the tag's absence: settle_volume()
    }
}

}  // namespace vprov::partition
