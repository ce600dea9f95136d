#include "pipeline/guest_resize.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "os/file_copy.h"
#include "os/linked_tree.h"
#include "partition/image/image.h"
#include "partition/image/overlay.h"
#include "pipeline/output_directory.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr int kCorrected = 1;  // e2fsck(8), EXIT CODE: the journal was replayed, say

os::CommandResult run(std::vector<std::string> argv, std::string_view what, os::CommandRunner& runner,
                      int highest_status = 0) {
    const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
    auto result = runner.run(command);
    if (result.status > highest_status)
        throw error(ErrorKind::disk, "cannot {}: {}", what, os::describe_failure(command, result));
    return result;
}

void set_length(const fs::path& file, Bytes size) {
    if (::truncate(file.c_str(), static_cast<off_t>(size.value)) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot resize " + quote(file.native()));
}

// resize2fs(8) wants a file system that was checked since it was mounted last.
void resize_ext(const fs::path& image, Bytes before, Bytes size, os::CommandRunner& runner) {
    run({"e2fsck", "-f", "-p", image}, "resize the disk: its file system is not in order", runner, kCorrected);
    if (size > before)
        set_length(image, size);
    run({"resize2fs", image, fmt::format("{}K", size.value / 1024)}, "resize the file system", runner);
    if (size < before)
        set_length(image, size);
    run({"e2fsck", "-f", "-n", image}, "check the resized file system", runner);
}

// The label of the swap space in `raw`: 16 bytes behind the UUID (swap.h).
std::string swap_label(const fs::path& raw) {
    constexpr std::size_t kPlace = 1052, kLength = 16;
    std::string label(kLength, '\0');
    const auto file = os::open_file(raw, O_RDONLY);
    if (::pread(file.get(), label.data(), kLength, kPlace) != static_cast<ssize_t>(kLength))
        return {};
    return label.substr(0, label.find('\0'));
}

partition::Volume swap_volume(const BuiltDisk& disk, Bytes size, std::string label) {
    partition::Volume plan;
    plan.label = std::move(label);
    plan.name = disk.image;
    plan.size = size;
    plan.filesystem = partition::Filesystem::swap;
    const auto uuid = Uuid::parse(disk.uuid);
    if (!uuid)
        throw error(ErrorKind::disk, "cannot resize {}: its manifest has no UUID", quote(disk.image));
    plan.uuid = *uuid;
    return plan;
}

// A raw image that may be written, with the content of the disk's.
void make_raw(const fs::path& image, const BuiltDisk& disk, const fs::path& raw, os::CommandRunner& runner) {
    if (disk.format == "raw")
        return os::copy_file(image, raw, 0600);
    run({"qemu-img", "convert", "-f", disk.format, "-O", "raw", image, raw}, "read the disk", runner);
}

void finish(const fs::path& raw, const BuiltGuest& guest, const BuiltDisk& disk, const fs::path& image,
            os::CommandRunner& runner) {
    if (disk.format == "raw") {
        if (::rename(raw.c_str(), image.c_str()) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot replace " + quote(disk.image));
    } else if (disk.backing.empty()) {
        run({"qemu-img", "convert", "-f", "raw", "-O", disk.format, raw, image}, "write the disk", runner);
        fs::permissions(image, fs::perms(0600));
    } else {
        partition::write_overlay(raw, guest.directory / disk.backing, image, disk.backing);
    }
}

std::string manifest_with(const BuiltGuest& guest, const std::string& image, Bytes size) {
    auto manifest = nlohmann::ordered_json::parse(os::read_file(guest.directory / "manifest.json"));
    for (auto& disk : manifest.at("disks"))
        if (disk.value("image", "") == image)
            disk["size"] = size.value;
    return manifest.dump(2) + "\n";
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

void check(const BuiltDisk& disk, Bytes size, Shrinking shrinking) {
    if (size.value % kBlock != 0 || size.value == 0)
        throw error(ErrorKind::usage, "cannot resize {} to {} bytes: it must be a multiple of {}", quote(disk.image),
                    size.value, kBlock);
    if (size < disk.size && shrinking == Shrinking::refused)
        throw error(ErrorKind::usage, "cannot shrink {} from {} to {} without --force", quote(disk.image),
                    exact(disk.size), exact(size));
    if (disk.filesystem != "swap" && !disk.filesystem.starts_with("ext"))
        throw error(ErrorKind::usage, "cannot resize {}: only ext2, ext3, ext4 and swap can be, it {}",
                    quote(disk.image), disk.filesystem.empty() ? "has a partition table" : "is " + disk.filesystem);
    if (disk.format != "raw" && disk.format != "qcow2")
        throw error(ErrorKind::usage, "cannot resize {}: only raw and qcow2 images can be, it is {}", quote(disk.image),
                    disk.format);
}

}  // namespace

void resize_disk(const BuiltGuest& guest, const std::string& name, Bytes size, Shrinking shrinking,
                 os::CommandRunner& runner) {
    const auto& disk = disk_of(guest, name);
    check(disk, size, shrinking);
    const auto work = make_work_directory(guest.directory.parent_path(), guest.name);
    const auto raw = work.path() / "raw", result = work.path() / "guest";
    make_raw(guest.directory / disk.image, disk, raw, runner);
    if (disk.filesystem == "swap") {
        const auto label = swap_label(raw);
        fs::remove(raw);
        partition::write_empty(swap_volume(disk, size, label), raw, runner);
    } else {
        resize_ext(raw, disk.size, size, runner);
    }
    os::link_tree(guest.directory, result,
                  [&](const std::string& path) { return path != disk.image && path != "manifest.json"; });
    finish(raw, guest, disk, result / disk.image, runner);
    os::write_file(result / "manifest.json", manifest_with(guest, disk.image, size));
    publish(result, guest.directory);
}

}  // namespace vprov::pipeline
