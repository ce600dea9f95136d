#include "pipeline/verify.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "partition/compare/image_bytes.h"
#include "partition/compare/volume_files.h"
#include "pipeline/known_secrets.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

// Its virtual content; an image of another format is converted to a file in `scratch`.
fs::path raw_of(const partition::DiskPlan& disk, const fs::path& image, const fs::path& scratch,
                os::CommandRunner& runner) {
    if (disk.format == partition::ImageFormat::raw)
        return image;
    const auto raw = scratch / (disk.image + ".raw");
    os::Command command;
    // the format is named, so that nothing in the image can pass for another
    command.argv = {"qemu-img", "convert", "-f",           std::string(name(disk.format)),
                    "-O",       "raw",     image.native(), raw.native()};
    command.environment = os::clean_environment();
    if (const auto result = runner.run(command); !result.ok())
        throw error(ErrorKind::disk, "cannot read {}: {}", quote(image.native()),
                    os::describe_failure(command, result));
    return raw;
}

bool is_below(std::string_view path, std::string_view mount) {
    return mount == "/" || (path.starts_with(mount) && path.substr(mount.size()).starts_with('/'));
}

struct FileSystem {
    const partition::DiskPlan* disk = nullptr;
    const partition::Volume* volume = nullptr;
};

FileSystem file_system_of(const partition::DiskLayout& layout, std::string_view path) {
    FileSystem best;
    for (const auto& disk : layout.disks)
        for (const auto& volume : disk.volumes)
            if (!volume.mount.empty() && is_below(path, volume.mount) &&
                (!best.volume || volume.mount.size() > best.volume->mount.size()))
                best = {&disk, &volume};
    return best;
}

// Reads from whichever image has the path; what cannot be read is none, and shows itself when it is compared.
ReadFile reader_of(const plan::Plan& plan, const Images& raw, const fs::path& scratch, os::CommandRunner& runner) {
    return [&plan, raw, scratch, &runner](const std::string& path) -> std::optional<std::string> {
        const auto [disk, volume] = file_system_of(plan.layout, path);
        const auto image = disk ? raw.find(disk->name) : raw.end();
        if (image == raw.end())
            return std::nullopt;
        try {
            auto found = partition::find_volume(*disk, *volume, image->second);
            if (!found)
                return std::nullopt;
            found->place.scratch = scratch;
            auto there = *volume;
            there.size = found->size;
            const auto inside = volume->mount == "/" ? path : path.substr(volume->mount.size());
            return partition::read_from_volume(there, found->place, inside, runner);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::disk)
                throw;
            return std::nullopt;
        }
    };
}

partition::DiskComparison compare_files(const fs::path& expected, const fs::path& found) {
    if (!fs::exists(found))
        return {{{"", "", "missing"}}, {}};
    const auto size = fs::file_size(expected), other = fs::file_size(found);
    if (size != other)
        return {{{"", "", fmt::format("{} bytes, not {}", other, size)}}, {}};
    const auto place = partition::first_difference(expected, found, {}, {size});
    if (place)
        return {{{"", "", fmt::format("byte {}", *place)}}, {}};
    return {};
}

}  // namespace

bool Verification::is_same() const {
    return std::ranges::none_of(files, [](const auto& file) { return file.result.difference.has_value(); });
}

Images images_of(const plan::Plan& plan, const fs::path& image, const std::optional<std::string>& disk) {
    const auto& disks = plan.layout.disks;
    for (const auto& one : disks)
        if (!one.device.empty())
            throw error(ErrorKind::usage,
                        "cannot verify {}: its recipe writes to {}, and what was there before is left",
                        quote(plan.name), quote(one.device));
    if (!fs::exists(image))
        throw error(ErrorKind::usage, "cannot verify {}: there is no such file", quote(image.native()));
    Images images;
    std::vector<std::string> names;
    for (const auto& one : disks) {
        names.push_back(one.name);
        if (fs::is_directory(image))
            images[one.name] = image / one.image;
        else if (disk ? one.name == *disk : one.image == image.filename() || disks.size() == 1)
            images[one.name] = image;
    }
    if (images.empty())
        throw error(ErrorKind::usage, "cannot verify {}: which disk is it? --disk says so, one of {}",
                    quote(image.native()), joined(names, ", "));
    for (const auto& [name, path] : images)
        if (!fs::is_regular_file(path))
            throw error(ErrorKind::usage, "cannot verify {}: it is no image file", quote(path.native()));
    return images;
}

Verification verify(const plan::Plan& plan, const Images& images, const std::optional<fs::path>& directory,
                    const fs::path& scratch, const RunEnvironment& environment) {
    os::TempDir::remove_stale(scratch, "vprov-verify-");
    const os::TempDir work(scratch, "vprov-verify-");
    for (const auto* name : {"found", "expected", "files"}) fs::create_directory(work.path() / name);
    Images raw;
    for (const auto& disk : plan.layout.disks)
        if (const auto image = images.find(disk.name); image != images.end())
            raw[disk.name] = raw_of(disk, image->second, work.path() / "found", environment.runner);
    auto again = plan;
    again.output = work.path() / "out" / plan.name;
    again.known = known_secrets(plan, reader_of(plan, raw, work.path() / "files", environment.runner));

    auto fresh = environment;
    fresh.layers = LayerUse::none;
    const auto built = build_all({again}, fresh).front();
    Verification verification;
    verification.taken = described(again.known);
    for (const auto& disk : built.layout.disks) {
        const auto image = raw.find(disk.name);
        if (image == raw.end())
            continue;
        const auto expected = raw_of(disk, built.directory / disk.image, work.path() / "expected", environment.runner);
        verification.files.push_back({disk.image, partition::compare_disks(disk, expected, image->second,
                                                                           work.path() / "files", environment.runner)});
    }
    if (directory)
        for (const auto* name : {"vmlinuz", "initrd.img"})
            if (fs::exists(built.directory / name))
                verification.files.push_back({name, compare_files(built.directory / name, *directory / name)});
    return verification;
}

}  // namespace vprov::pipeline
