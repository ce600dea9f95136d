#include "pipeline/built_guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "hypervisor/guest/guest.h"
#include "os/file_copy.h"
#include "os/temp_dir.h"
#include "partition/image/image.h"
#include "pipeline/guest_pool.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kBlock = 4096;

Bytes allocated(const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? Bytes{static_cast<std::uint64_t>(status.st_blocks) * 512} : Bytes{};
}

void read_configuration(BuiltGuest& guest) {
    guest.configuration = guest.directory / (guest.name + ".cfg");
    if (!fs::exists(guest.configuration))
        return;
    const auto read = hypervisor::read_xl_cfg(os::read_file(guest.configuration), guest.configuration.native());
    guest.memory_mib = read.guest.memory_mib;
    guest.vcpus = read.guest.vcpus;
}

BuiltGuest read_guest(const fs::path& directory) {
    const auto manifest = nlohmann::json::parse(os::read_file(directory / "manifest.json"));
    BuiltGuest guest;
    guest.directory = directory;
    guest.name = manifest.at("name");
    for (const auto& disk : manifest.value("disks", nlohmann::json::array())) {
        if (!disk.contains("image"))
            continue;  // a device of the host's, which is not ours to show or to take away
        guest.disks.push_back({disk.at("image"), disk.value("filesystem", ""), disk.value("mount", ""),
                               disk.value("uuid", ""), Bytes{disk.at("size").get<std::uint64_t>()},
                               allocated(directory / disk.at("image").get<std::string>())});
    }
    for (const auto& interface : manifest.value("network", nlohmann::json::array()))
        for (const auto& address : interface.value("address", std::vector<std::string>{}))
            guest.addresses.push_back(address);
    guest.files = manifest.value("files", std::vector<std::string>{});
    read_configuration(guest);
    return guest;
}

// A name that a manifest gives is used below the guest's own directory only.
bool stays_inside(const std::string& file) {
    const auto path = fs::path(file).lexically_normal();
    return !file.empty() && path.is_relative() && *path.begin() != "..";
}

std::vector<std::string> files_in(const fs::path& directory) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (!entry.is_directory() || entry.is_symlink())
            found.push_back(entry.path().lexically_relative(directory).native());
    std::ranges::sort(found);
    return found;
}

void remove_empty_folders(const fs::path& directory) {
    std::vector<fs::path> folders = {directory};
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (entry.is_directory() && !entry.is_symlink())
            folders.push_back(entry.path());
    std::ranges::sort(folders, std::greater<>());
    for (const auto& folder : folders) ::rmdir(folder.c_str());
}

void run(std::vector<std::string> argv, std::string_view what, os::CommandRunner& runner) {
    const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
    const auto result = runner.run(command);
    if (!result.ok())
        throw error(ErrorKind::disk, "cannot {}: {}", what, os::describe_failure(command, result));
}

void set_length(const fs::path& file, Bytes size) {
    if (::truncate(file.c_str(), static_cast<off_t>(size.value)) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot resize " + quote(file.native()));
}

void resize_ext(const fs::path& image, Bytes before, Bytes size, os::CommandRunner& runner) {
    run({"e2fsck", "-f", "-n", image}, "resize the disk: its file system is not in order", runner);
    if (size > before)
        set_length(image, size);
    run({"resize2fs", "-f", image, fmt::format("{}K", size.value / 1024)}, "resize the file system", runner);
    if (size < before)
        set_length(image, size);
    run({"e2fsck", "-f", "-n", image}, "check the resized file system", runner);
}

void note_size(const BuiltGuest& guest, const std::string& image, Bytes size) {
    auto manifest = nlohmann::ordered_json::parse(os::read_file(guest.directory / "manifest.json"));
    for (auto& disk : manifest.at("disks"))
        if (disk.at("image") == image)
            disk["size"] = size.value;
    os::write_file(guest.directory / "manifest.json", manifest.dump(2) + "\n");
}

const BuiltDisk& disk_of(const BuiltGuest& guest, const std::string& disk) {
    std::vector<std::string> names;
    for (const auto& known : guest.disks) {
        const auto stem = fs::path(known.image).stem().native();
        if (known.image == disk || stem == disk || (!known.mount.empty() && known.mount == disk))
            return known;
        names.push_back(stem);
    }
    throw error(ErrorKind::usage, "cannot resize {} of {}: it has {}", quote(disk), quote(guest.name),
                joined(names, ", "));
}

partition::Volume swap_volume(const BuiltDisk& disk, Bytes size) {
    partition::Volume plan;
    plan.name = disk.image;
    plan.size = size;
    plan.filesystem = partition::Filesystem::swap;
    const auto uuid = Uuid::parse(disk.uuid);
    if (!uuid)
        throw error(ErrorKind::disk, "cannot resize {}: its manifest has no UUID", quote(disk.image));
    plan.uuid = *uuid;
    return plan;
}

}  // namespace

std::vector<BuiltGuest> built_guests(const fs::path& output) {
    std::vector<BuiltGuest> guests;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(output, none)) {
        if (entry.path().filename().native().starts_with('.') || !fs::exists(entry.path() / "manifest.json"))
            continue;
        try {
            guests.push_back(read_guest(entry.path()));
        } catch (const nlohmann::json::exception&) {
            continue;
        } catch (const Error&) {
            continue;
        }
    }
    std::ranges::sort(guests, {}, &BuiltGuest::name);
    return guests;
}

BuiltGuest built_guest(const fs::path& output, const std::string& name) {
    const auto directory = output / name;
    if (!stays_inside(name) || !fs::exists(directory / "manifest.json"))
        throw error(ErrorKind::disk, "cannot find guest {} in {}", quote(name), quote(output.native()));
    try {
        auto guest = read_guest(directory);
        if (guest.name == name)
            return guest;
        throw error(ErrorKind::disk, "cannot use {}: its manifest is of guest {}", quote(directory.native()),
                    quote(guest.name));
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::disk, "cannot read {}: {}", quote((directory / "manifest.json").native()), e.what());
    }
}

std::vector<std::string> remove_guest(const BuiltGuest& guest) {
    const auto output = guest.directory.parent_path();
    const auto prefix = fmt::format(".{}-build-", guest.name);  // a later build removes what a kill leaves of it
    os::TempDir::remove_stale(output, prefix);
    const os::TempDir aside(output, prefix);
    const auto gone = aside.path() / "guest";
    if (::rename(guest.directory.c_str(), gone.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot remove " + quote(guest.directory.native()));
    release(output, guest.name);
    const std::set<std::string> made(guest.files.begin(), guest.files.end());
    std::vector<std::string> others;
    for (const auto& file : files_in(gone))
        if (!made.contains(file))
            others.push_back(file);
    if (others.empty())
        return others;
    for (const auto& file : made)
        if (stays_inside(file))
            ::unlink((gone / file).c_str());
    remove_empty_folders(gone);
    if (::rename(gone.c_str(), guest.directory.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot put back " + quote(guest.directory.native()));
    return others;
}

void resize_disk(const BuiltGuest& guest, const std::string& name, Bytes size, Shrinking shrinking,
                 os::CommandRunner& runner) {
    const auto& disk = disk_of(guest, name);
    if (size.value % kBlock != 0 || size.value == 0)
        throw error(ErrorKind::usage, "cannot resize {} to {} bytes: it must be a multiple of {}", quote(disk.image),
                    size.value, kBlock);
    if (size < disk.size && shrinking == Shrinking::refused)
        throw error(ErrorKind::usage, "cannot shrink {} from {} to {} without --force", quote(disk.image),
                    exact(disk.size), exact(size));
    const bool swap = disk.filesystem == "swap";
    if (!swap && !disk.filesystem.starts_with("ext"))
        throw error(ErrorKind::usage, "cannot resize {}: only ext2, ext3, ext4 and swap can be, it is {}",
                    quote(disk.image), disk.filesystem);
    const os::TempDir work(guest.directory, ".resize-");
    const auto copy = work.path() / disk.image;
    if (swap) {
        partition::write_empty(swap_volume(disk, size), copy, runner);
    } else {
        os::copy_file(guest.directory / disk.image, copy, 0600);
        resize_ext(copy, disk.size, size, runner);
    }
    if (::rename(copy.c_str(), (guest.directory / disk.image).c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot replace " + quote(disk.image));
    note_size(guest, disk.image, size);
}

}  // namespace vprov::pipeline
