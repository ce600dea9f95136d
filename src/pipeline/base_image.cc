#include "pipeline/base_image.h"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tar_writer.h"
#include "config-render/network.h"
#include "os/temp_dir.h"
#include "partition/image/volume_identity.h"
#include "pipeline/boot_loader.h"
#include "pipeline/clonability.h"
#include "pipeline/content_digest.h"
#include "pipeline/disk_images.h"
#include "pipeline/guest_kernels.h"
#include "pipeline/initrd_names.h"
#include "pipeline/sealed_tree.h"
#include "pipeline/skeleton.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDigests = "digests";

std::vector<std::string> lines_of(const fs::path& path) {
    const auto text = os::read_file(path);
    std::vector<std::string> lines;
    for (const auto line : split(text, '\n'))
        if (!line.empty())
            lines.emplace_back(line);
    return lines;
}

std::string as_lines(const std::vector<std::string>& lines) {
    return lines.empty() ? "" : joined(lines, "\n") + "\n";
}

std::pair<std::string, std::string> two_words(const std::string& line) {
    const auto blank = line.find(' ');
    if (blank == std::string::npos)
        throw error(ErrorKind::disk, "cannot read a base: a line has one word");
    return {line.substr(0, blank), line.substr(blank + 1)};
}

std::map<std::string, std::string> digests_in(const fs::path& directory) {
    std::map<std::string, std::string> digests;
    for (const auto& line : lines_of(directory / kDigests)) {
        auto [digest, file] = two_words(line);
        digests.emplace(std::move(file), std::move(digest));
    }
    return digests;
}

BaseImage opened(const fs::path& directory) {
    BaseImage base;
    base.directory = directory;
    base.date = std::stoll(os::read_file(directory / "date"));
    base.unique = lines_of(directory / "unique");
    base.named = lines_of(directory / "named");
    base.programs = lines_of(directory / "programs");
    base.initrds = lines_of(directory / "initrds");
    base.kernels = lines_of(directory / "kernels");
    for (const auto& line : lines_of(directory / "places")) {
        const auto [image, offset] = two_words(line);
        base.places[image].push_back(std::stoull(offset));
    }
    base.digests = digests_in(directory);
    return base;
}

std::vector<std::string> initrds_of(const os::RootDir& tree) {
    std::vector<std::string> found;
    if (fs::is_directory(tree.path() / "boot"))
        for (const auto& entry : fs::directory_iterator(tree.path() / "boot"))
            if (entry.is_regular_file() && !entry.is_symlink() &&
                entry.path().filename().native().starts_with("initrd.img-"))
                found.push_back("/boot/" + entry.path().filename().native());
    std::ranges::sort(found);
    return found;
}

// In GRUB's programs for UEFI, which are not packed, and in its menus on the firmware's partition.
std::vector<std::string> uuid_places(const plan::Plan& base, const fs::path& directory) {
    std::vector<std::string> lines;
    if (base.boot.firmware != recipe::Firmware::uefi || base.boot.platform.empty())
        return lines;
    for (const auto& disk : base.layout.disks) {
        const partition::RawImage image(directory / disk.image, partition::RawImage::Access::reading);
        for (const auto place : partition::places_of(base.boot.filesystem.uuid, image, 0, disk.size.value))
            lines.push_back(fmt::format("{} {}", disk.image, place));
    }
    return lines;
}

void write_skeleton(const SealedTree& tree, const fs::path& target) {
    const auto file = os::open_file(target, O_WRONLY | O_CREAT | O_EXCL, 0600);
    pack::TarOptions options;
    options.left_out = left_out_of_skeleton(tree.root().path());
    pack::write_tar(tree.root().path(), file.get(), options);
}

void write_digests(const fs::path& directory) {
    std::vector<std::string> lines;
    for (const auto& entry : fs::directory_iterator(directory))
        if (entry.is_regular_file())
            lines.push_back(fmt::format("{} {}", content_digest(entry.path()), entry.path().filename().native()));
    std::ranges::sort(lines);
    os::write_file(directory / kDigests, as_lines(lines));
}

}  // namespace

fs::path BaseImage::image_of(const partition::DiskPlan& disk) const {
    return directory / (disk.name + ".img");
}

BaseImage make_base(Installed installed, const plan::Plan& plan, const std::string& inputs, const fs::path& logs,
                    const fs::path& directory, os::CommandRunner& runner) {
    const auto unique = installed.unique, named = installed.named;
    const auto date = installed.tree.date();
    const auto base = base_plan(plan);
    const auto tree = seal_base(std::move(installed), base, early_archive(render::link_files(plan), date).size());
    write_kernel(tree, base, directory);
    write_disks(tree, base, directory, runner);
    write_skeleton(tree, directory / "skeleton.tar");
    fs::copy(logs, directory / "log", fs::copy_options::recursive);
    os::write_file(directory / "unique", as_lines(unique));
    os::write_file(directory / "named", as_lines(named));
    os::write_file(directory / "programs", as_lines(programs_of(tree.root().path())));
    os::write_file(directory / "date", fmt::format("{}\n", date));
    os::write_file(directory / "initrds", as_lines(initrds_of(tree.root())));
    os::write_file(directory / "kernels", as_lines(menu_kernels(tree.root(), plan)));
    os::write_file(directory / "places", as_lines(uuid_places(base, directory)));
    os::write_file(directory / "base", inputs);
    write_digests(directory);
    return opened(directory);
}

fs::path BaseImages::place_of(const std::string& inputs) const {
    return cache_.directory() / "layers" / sha256(inputs).hex();
}

std::optional<BaseImage> BaseImages::find(const std::string& inputs) const {
    const auto hold = cache_.hold();
    const auto place = place_of(inputs);
    if (!is_base(place))
        return std::nullopt;
    archive::Cache::mark_used(place);
    try {
        return opened(place);
    } catch (const std::exception&) {  // damaged: made anew
        os::remove_tree(place);
        return std::nullopt;
    }
}

os::TempDir BaseImages::begin() const {
    return os::TempDir(cache_.directory() / "partial", "base-");
}

BaseImage BaseImages::keep(const os::TempDir& begun, const std::string& inputs) const {
    const auto hold = cache_.hold();
    const auto place = place_of(inputs);
    fs::create_directories(place.parent_path());
    const auto made = begun.path() / "base";
    if (::rename(made.c_str(), place.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        throw system_error(ErrorKind::disk, errno, "cannot keep the base " + quote(place.native()));
    archive::Cache::mark_used(place);
    return opened(place);
}

bool BaseImages::is_base(const fs::path& layer) {
    return fs::exists(layer / "base");
}

bool BaseImages::is_intact(const fs::path& layer) try {
    const auto digests = digests_in(layer);
    return digests.contains("base") && std::ranges::all_of(digests, [&](const auto& entry) {
               return fs::is_regular_file(layer / entry.first) && content_digest(layer / entry.first) == entry.second;
           });
} catch (const std::exception&) {
    return false;
}

void BaseImages::remove(const BaseImage& base) const {
    const os::TempDir aside = begin();
    if (::rename(base.directory.c_str(), (aside.path() / "base").c_str()) != 0 && errno != ENOENT)
        throw system_error(ErrorKind::disk, errno, "cannot remove the base " + quote(base.directory.native()));
}

std::shared_future<bool> BaseChecks::begin(const BaseImage& base) {
    const std::lock_guard lock(mutex_);
    auto& check = checks_[base.directory];
    if (!check.valid())
        check =
            std::async(std::launch::async, [directory = base.directory] { return BaseImages::is_intact(directory); });
    return check;
}

}  // namespace vprov::pipeline
