#include "partition/image/vfat_volume.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "os/tree_files.h"
#include "partition/image/mkfs.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kFat32Clusters = 65525;  // FAT's specification 1.03; less is FAT16
constexpr std::size_t kMostArguments = 256;

// mkfs.fat's own choice for a disk of this size: it would look at the size of the whole image.
std::uint64_t cluster_size(Bytes size) {
    if (size <= 260_MiB)
        return 512;
    return size <= 8_GiB ? 4096 : size <= 16_GiB ? 8192 : size <= 32_GiB ? 16384 : 32768;
}

bool has_room_for_fat32(const Volume& volume, const Place& place) {
    const auto clusters = volume.size.value / std::max<std::uint64_t>(cluster_size(volume.size), place.sector_size);
    return clusters >= kFat32Clusters + kFat32Clusters / 64;  // the tables take some
}

// mtools on the file system inside of the image, whatever the user's configuration says.
os::Command mtool(std::string program, const Place& place, std::int64_t newest) {
    os::Command command;
    command.argv = {std::move(program), "-i", fmt::format("{}@@{}", place.file.native(), place.offset.value)};
    command.environment = os::clean_environment();
    command.environment["MTOOLSRC"] = "/dev/null";
    command.environment["MTOOLS_SKIP_CHECK"] = "1";
    command.environment["TZ"] = "UTC";
    command.environment["SOURCE_DATE_EPOCH"] = std::to_string(newest);
    return command;
}

class Copier {
  public:
    Copier(const TreePart& part, const Place& place, std::int64_t newest, os::CommandRunner& runner)
        : part_(part), place_(place), newest_(newest), runner_(runner) {}

    void copy(const fs::path& folder, const std::string& inside) {
        std::vector<std::string> files, folders;
        for (const auto& name : os::sorted_names(folder)) {
            const auto mode = os::status_of(folder / name).st_mode;
            if (S_ISDIR(mode))
                folders.push_back(name);
            else if (S_ISREG(mode))
                files.push_back((folder / name).native());
            else
                throw error(ErrorKind::disk,
                            "cannot write {}: vfat holds files and directories only, and {} is neither", place_.title,
                            quote(inside + name));
        }
        copy_files(files, inside);
        for (const auto& name : folders) {
            auto command = mtool("mmd", place_, newest_);
            command.argv.push_back(fmt::format("::{}{}", inside, name));
            run_mkfs(command, place_, "mtools", runner_);
            if (!part_.left_out.contains(folder / name))
                copy(folder / name, inside + name + "/");
        }
    }

  private:
    void copy_files(const std::vector<std::string>& files, const std::string& inside) {
        for (std::size_t from = 0; from < files.size(); from += kMostArguments) {
            auto command = mtool("mcopy", place_, newest_);
            command.argv.insert(command.argv.end(), {"-m", "-Q"});
            const auto to = std::min(files.size(), from + kMostArguments);
            command.argv.insert(command.argv.end(), files.begin() + static_cast<std::ptrdiff_t>(from),
                                files.begin() + static_cast<std::ptrdiff_t>(to));
            command.argv.push_back("::" + inside);
            run_mkfs(command, place_, "mtools", runner_);
        }
    }

    const TreePart& part_;
    const Place& place_;
    std::int64_t newest_;
    os::CommandRunner& runner_;
};

}  // namespace

os::Command mkfs_fat(const Volume& volume, const Place& place) {
    os::Command command;
    const auto& id = volume.uuid.bytes;
    command.argv = {"mkfs.fat",
                    "--invariant",
                    "-I",
                    "-g",
                    "64/32",
                    "-i",  // whole tracks: nothing is cut off
                    fmt::format("{:02X}{:02X}{:02X}{:02X}", id[0], id[1], id[2], id[3])};
    const auto add = [&](std::initializer_list<std::string> words) { command.argv.insert(command.argv.end(), words); };
    if (has_room_for_fat32(volume, place))
        add({"-F", "32", "-s",
             std::to_string(std::max<std::uint64_t>(cluster_size(volume.size) / place.sector_size, 1))});
    if (place.sector_size != 512)
        add({"-S", std::to_string(place.sector_size)});
    if (!volume.label.empty())
        add({"-n", volume.label});
    if (place.offset.value > 0)
        add({"-h", std::to_string(place.offset.value / place.sector_size),
             fmt::format("--offset={}", place.offset.value / place.sector_size)});
    add({place.file.string(), std::to_string(volume.size.value / 1024)});
    command.environment = os::clean_environment();
    return command;
}

void write_vfat(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    run_mkfs(mkfs_fat(volume, place), place, "dosfstools", runner);
    if (part.top.empty())
        return;
    if (!part.added.empty())
        throw error(ErrorKind::disk, "cannot write {}: vfat holds no device files", place.title);
    const auto size = measure(part.top, part.left_out);
    Copier(part, place, size.newest, runner).copy(part.top, "/");
}

Bytes vfat_size(const TreeSize& tree, Bytes room) {
    const auto content = tree.content + room;
    return {content.value + tree.inodes * 4096 + content.value / 64 + (2_MiB).value};  // two tables of four bytes each
}

}  // namespace vprov::partition
