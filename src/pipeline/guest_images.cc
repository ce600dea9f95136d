#include "pipeline/guest_images.h"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tar_reader.h"
#include "config-render/boot_files.h"
#include "config-render/network.h"
#include "os/file_copy.h"
#include "os/temp_dir.h"
#include "partition/image/disk_writer.h"
#include "partition/image/ext_editor.h"
#include "partition/image/overlay.h"
#include "partition/image/partition_table.h"
#include "partition/image/volume_identity.h"
#include "pipeline/clonability.h"
#include "pipeline/initrd_names.h"
#include "pipeline/sealed_tree.h"
#include "pipeline/skeleton.h"
#include "pipeline/tree_changes.h"
#include "plan/fast_boot.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {
using partition::DiskPlan;
using partition::Volume;

constexpr mode_t kImageMode = 0600;  // it holds password hashes and host keys

void take(const fs::path& from, const fs::path& to, mode_t mode, BaseUse use) {
    if (use == BaseUse::copy)
        return os::copy_file(from, to, mode);
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot move " + quote(from.native()));
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

// As a path is on the file system itself.
std::string path_on(const Volume& volume, const std::string& path) {
    return volume.mount == "/" ? path : path.substr(volume.mount.size());
}

// All that is written to a base to make it a guest.
class Identity {
  public:
    Identity(const BaseImage& base, const plan::Plan& plan, std::vector<TreeChange> changes)
        : base_(base),
          plan_(plan),
          changes_(std::move(changes)),
          names_(early_archive(render::link_files(plan), base.date)) {}

    const std::string& names() const { return names_; }

    void write_raw(const DiskPlan& disk, const fs::path& image) const {
        {
            partition::RawImage bytes(image, partition::RawImage::Access::writing);
            write_identifiers(disk, bytes);
        }
        for (const auto& volume : disk.volumes)
            if (is_ext(volume.filesystem)) {
                partition::ExtEditor editor(image, volume.start, base_.date);
                edit(editor, volume);
            }
    }

    void write_overlay(const DiskPlan& disk, partition::Overlay& overlay) const {
        write_identifiers(disk, overlay);
        for (const auto& volume : disk.volumes)
            if (is_ext(volume.filesystem)) {
                partition::ExtEditor editor(overlay, volume.start, base_.date);
                edit(editor, volume);
            }
    }

  private:
    // Before files are written, which may be where such a place has been.
    void write_identifiers(const DiskPlan& disk, partition::ImageBytes& image) const {
        set_table_identity(disk, image);
        for (const auto& volume : disk.volumes) set_volume_uuid(volume, image);
        if (const auto found = base_.places.find(base_.image_of(disk).filename()); found != base_.places.end())
            for (const auto place : found->second) image.write(place, plan_.boot.filesystem.uuid);
    }

    void edit(partition::ExtEditor& editor, const Volume& volume) const {
        for (auto change : changes_) {
            if (volume_at(plan_.layout, change.path).name != volume.name || change.path == volume.mount)
                continue;
            change.path = path_on(volume, change.path);
            apply(editor, change);
        }
        for (const auto& initrd : base_.initrds)
            if (!names_.empty() && volume_at(plan_.layout, initrd).name == volume.name)
                editor.overwrite(path_on(volume, initrd), 0, names_);
        editor.set_uuid(volume.uuid);
        editor.finish();
    }

    const BaseImage& base_;
    const plan::Plan& plan_;
    std::vector<TreeChange> changes_;
    std::string names_;
};

void write_overlay(const DiskPlan& disk, const Identity& identity, const SharedBase& base, const fs::path& image) {
    partition::Overlay overlay(base.image);
    identity.write_overlay(disk, overlay);
    overlay.save(image, base.backing);
}

void take_kernel(const BaseImage& base, BaseUse use, const std::string& names, const fs::path& directory) {
    for (const auto* file : {"vmlinuz", "initrd.img"})
        if (fs::exists(base.directory / file))
            take(base.directory / file, directory / file, 0644, use);
    if (names.empty() || !fs::exists(directory / "initrd.img"))
        return;
    const auto initrd = os::open_file(directory / "initrd.img", O_WRONLY);
    os::write_all(initrd.get(), names, "initrd.img");
}

fs::path raw_image(const DiskPlan& disk, const fs::path& directory) {
    return directory / (disk.image + ".raw");
}

// Of each disk that is not made in another way, begun beside what else there is to do. Destroyed when all have ended.
std::map<std::string, std::future<void>> begin_copies(const BaseImage& base, BaseUse use,
                                                      const partition::DiskLayout& layout, const fs::path& directory) {
    std::map<std::string, std::future<void>> copies;
    for (const auto& disk : layout.disks)
        if (has_tree(disk) && !disk.overlay)
            copies.emplace(disk.name, std::async(std::launch::async, take, base.image_of(disk),
                                                 raw_image(disk, directory), kImageMode, use));
    return copies;
}

}  // namespace

GuestImages make_guest(const BaseImage& base, BaseUse use, const plan::Plan& plan, const resolve::PackageSet& packages,
                       const fs::path& scratch, const fs::path& directory, os::CommandRunner& runner,
                       render::EarlyHostKey* early) {
    auto copies = begin_copies(base, use, plan.layout, directory);
    const os::RootDir skeleton(scratch);
    pack::read_tar(base.directory / "skeleton.tar", skeleton);
    for (const auto& user : plan.recipe.identity.users) stand_in_for(user.shell, base.programs, skeleton);
    const auto before = snapshot_of(scratch);
    GuestImages made;
    made.layout = plan.layout;
    render::write_guest_files(skeleton, render::grub_files(plan, base.kernels));
    made.passwords = write_identity(skeleton, {base.date, base.unique, base.named, early}, plan, packages);
    settle_machine(skeleton, plan);
    const Identity identity(base, plan, changes_since(before, scratch));
    for (auto& disk : made.layout.disks) {
        const auto image = directory / disk.image;
        const auto raw = raw_image(disk, directory);
        if (!has_tree(disk)) {
            partition::write_raw_image(disk, {}, raw, runner);
            partition::finish_image(disk, raw, image, runner);
        } else if (disk.overlay) {
            const auto file = base.image_of(disk);
            made.bases.push_back(share_base(plan.output.parent_path(), file, base.digests.at(file.filename())));
            disk.backing = made.bases.back().backing;
            write_overlay(disk, identity, made.bases.back(), image);
        } else {
            copies.at(disk.name).get();
            identity.write_raw(disk, raw);
            partition::finish_image(disk, raw, image, runner);
        }
    }
    // a small initrd has no udev that would name interfaces
    take_kernel(base, use, plan::boots_fast(plan.recipe) ? "" : identity.names(), directory);
    fs::copy(base.directory / "log", directory / "log", fs::copy_options::recursive);
    return made;
}

}  // namespace vprov::pipeline
