#include "pipeline/base_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tar_reader.h"
#include "bootstrap/pack/tar_writer.h"
#include "config-render/network.h"
#include "os/file_copy.h"
#include "os/temp_dir.h"
#include "partition/image/ext_editor.h"
#include "partition/image/image.h"
#include "pipeline/disk_images.h"
#include "pipeline/initrd_names.h"
#include "pipeline/sealed_tree.h"
#include "pipeline/skeleton.h"
#include "pipeline/tree_changes.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFormat = "base format 5";  // raised when the same inputs make another base
constexpr mode_t kImageMode = 0600;                    // it holds password hashes and host keys

bool is_ext(partition::Filesystem filesystem) {
    return filesystem == partition::Filesystem::ext2 || filesystem == partition::Filesystem::ext3 ||
           filesystem == partition::Filesystem::ext4;
}

// Only bare disks are made by way of a base: one volume each.
const partition::Volume& volume_of(const partition::DiskPlan& disk) {
    return disk.volumes.front();
}

bool has_tree(const partition::DiskPlan& disk) {
    return !volume_of(disk).mount.empty();
}

bool is_bare_image(const partition::DiskPlan& disk) {
    return disk.device.empty() && disk.table == partition::Table::none && disk.volumes.size() == 1 &&
           disk.format == partition::ImageFormat::raw && disk.sizing == partition::Sizing::fixed &&
           volume_of(disk).sizing != partition::Sizing::content && volume_of(disk).size.value > 0;
}

bool is_clonable_disk(const partition::DiskPlan& disk) {
    return is_bare_image(disk) && (has_tree(disk) ? is_ext(volume_of(disk).filesystem)
                                                  : volume_of(disk).filesystem != partition::Filesystem::none);
}

// Whether a skeleton shows what is at the account's places.
bool fits_skeleton(const recipe::User& user) {
    const auto home = user.home.value_or("/home/" + user.name);
    return is_place_of_programs(fs::path(user.shell).parent_path().native()) && is_in_skeleton(home.substr(1));
}

// The plan of the base itself: no disk without a tree, and UUIDs that no guest has.
plan::Plan base_plan(const plan::Plan& plan) {
    auto base = plan;
    std::erase_if(base.layout.disks, [](const auto& disk) { return !has_tree(disk); });
    for (auto& disk : base.layout.disks)
        for (auto& volume : disk.volumes) volume.uuid = Uuid::derived("vprov base", volume.name);
    return base;
}

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

BaseImage opened(const fs::path& directory) {
    return {directory, std::stoll(os::read_file(directory / "date")), lines_of(directory / "unique"),
            lines_of(directory / "named")};
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

// The changes that concern one file system, with paths as they are on it.
std::vector<TreeChange> part_of(const std::vector<TreeChange>& changes, const partition::Volume& volume,
                                const partition::DiskLayout& layout) {
    const auto mount_of = [&](std::string_view path) {
        std::string_view longest;
        for (const auto* other : layout.volumes()) {
            const std::string_view mount = other->mount;
            const bool inside = mount == "/" || path == mount ||
                                (path.starts_with(mount) && !mount.empty() && path[mount.size()] == '/');
            if (!mount.empty() && inside && mount.size() > longest.size())
                longest = mount;
        }
        return longest;
    };
    std::vector<TreeChange> part;
    for (const auto& change : changes) {
        if (mount_of(change.path) != volume.mount || change.path == volume.mount)
            continue;
        part.push_back(change);
        if (volume.mount != "/")
            part.back().path = change.path.substr(volume.mount.size());
    }
    return part;
}

void apply(partition::ExtEditor& editor, const TreeChange& change) {
    const partition::FileAttributes attributes{change.mode, change.uid, change.gid};
    switch (change.kind) {
        case TreeChange::Kind::removed:
            return editor.remove(change.path);
        case TreeChange::Kind::directory:
            return editor.make_directory(change.path, attributes);
        case TreeChange::Kind::file:
            return editor.write_file(change.path, attributes, change.content);
        case TreeChange::Kind::link:
            return editor.make_link(change.path, attributes, change.content);
        case TreeChange::Kind::attributes:
            return editor.set_attributes(change.path, attributes);
    }
}

void take(const fs::path& from, const fs::path& to, mode_t mode, BaseUse use) {
    if (use == BaseUse::copy)
        return os::copy_file(from, to, mode);
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot move " + quote(from.native()));
}

void write_names(const fs::path& initrd, const std::string& names) {
    const auto file = os::open_file(initrd, O_WRONLY);
    os::write_all(file.get(), names, initrd.native());
}

}  // namespace

bool is_clonable(const plan::Plan& plan) {
    const auto& recipe = plan.recipe;
    const bool adds = !recipe.hooks.empty() || !recipe.files.empty() || !recipe.directories.empty();
    return !adds && !recipe.identity.is_template && plan.boot.method == recipe::BootMethod::direct &&
           std::ranges::all_of(recipe.identity.users, fits_skeleton) &&
           std::ranges::all_of(plan.layout.disks, is_clonable_disk);
}

std::string base_inputs(const plan::Plan& plan, std::string_view layer) {
    auto text = fmt::format("{} vprov {}\nlayer {}\n", kFormat, VPROV_VERSION, layer);
    text += fmt::format("names {}\n", early_archive(render::link_files(plan), 0).size());
    text += fmt::format("kernel {}\n", plan.recipe.system.kernel.path ? "of the host" : plan.kernel_package);
    for (const auto& disk : base_plan(plan).layout.disks)
        text += fmt::format("disk {} {} {} {} {}\n", disk.image, disk.size.value, name(volume_of(disk).filesystem),
                            volume_of(disk).mount, volume_of(disk).label);
    return text;
}

BaseImage make_base(Installed installed, const plan::Plan& plan, const std::string& inputs, const fs::path& logs,
                    const fs::path& directory, os::CommandRunner& runner) {
    const auto unique = installed.unique, named = installed.named;
    const auto date = installed.tree.date();
    const auto base = base_plan(plan);
    const auto tree = seal_base(std::move(installed), base, early_archive(render::link_files(plan), date).size());
    write_kernel(tree, base, directory);
    write_disks(tree, base, directory, runner);
    {
        const auto file = os::open_file(directory / "skeleton.tar", O_WRONLY | O_CREAT | O_EXCL, kImageMode);
        pack::TarOptions options;
        options.left_out = left_out_of_skeleton(tree.root().path());
        pack::write_tar(tree.root().path(), file.get(), options);
    }
    fs::copy(logs, directory / "log", fs::copy_options::recursive);
    os::write_file(directory / "unique", as_lines(unique));
    os::write_file(directory / "named", as_lines(named));
    os::write_file(directory / "programs", as_lines(programs_of(tree.root().path())));
    os::write_file(directory / "date", fmt::format("{}\n", date));
    os::write_file(directory / "initrds", as_lines(initrds_of(tree.root())));
    os::write_file(directory / "base", inputs);
    return opened(directory);
}

fs::path BaseImages::place_of(const std::string& inputs) const {
    return cache_.directory() / "layers" / sha256(inputs).hex();
}

std::optional<BaseImage> BaseImages::find(const std::string& inputs) const {
    const auto hold = cache_.hold();
    const auto place = place_of(inputs);
    if (!fs::exists(place / "base"))
        return std::nullopt;
    archive::Cache::mark_used(place);
    return opened(place);
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

Passwords make_guest(const BaseImage& base, BaseUse use, const plan::Plan& plan, const resolve::PackageSet& packages,
                     const fs::path& scratch, const fs::path& directory, os::CommandRunner& runner) {
    const os::RootDir skeleton(scratch);
    pack::read_tar(base.directory / "skeleton.tar", skeleton);
    const auto programs = lines_of(base.directory / "programs");
    for (const auto& user : plan.recipe.identity.users) stand_in_for(user.shell, programs, skeleton);
    const auto before = snapshot_of(scratch);
    auto passwords = write_identity(skeleton, {base.date, base.unique, base.named}, plan, packages);
    const auto changes = changes_since(before, scratch);
    const auto names = early_archive(render::link_files(plan), base.date);
    for (const auto& disk : plan.layout.disks) {
        const auto image = directory / disk.image;
        if (!has_tree(disk)) {
            partition::write_empty(volume_of(disk), image, runner);
            continue;
        }
        take(base.directory / disk.image, image, kImageMode, use);
        partition::ExtEditor editor(image, {0}, base.date);
        for (const auto& change : part_of(changes, volume_of(disk), plan.layout)) apply(editor, change);
        for (const auto& initrd : lines_of(base.directory / "initrds"))
            if (!names.empty() && editor.exists(initrd) && volume_of(disk).mount == "/")
                editor.overwrite(initrd, 0, names);
        editor.set_uuid(volume_of(disk).uuid);
        editor.finish();
    }
    for (const auto* file : {"vmlinuz", "initrd.img"})
        if (fs::exists(base.directory / file))
            take(base.directory / file, directory / file, 0644, use);
    if (fs::exists(directory / "initrd.img"))
        write_names(directory / "initrd.img", names);
    fs::copy(base.directory / "log", directory / "log", fs::copy_options::recursive);
    return passwords;
}

}  // namespace vprov::pipeline
