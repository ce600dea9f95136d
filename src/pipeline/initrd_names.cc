#include "pipeline/initrd_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/text.h"
#include "os/tree_files.h"
#include "pipeline/cpio.h"

namespace vprov::pipeline {
std::string early_archive(const std::vector<render::GuestFile>& files, std::int64_t date) {
    if (files.empty())
        return {};
    CpioArchive cpio(date);
    for (const auto& file : files) cpio.add_file(file.path, file.content, file.mode);
    return cpio.finish();
}

namespace {

void put_before_initrds(const os::RootDir& tree, const std::string& bytes) {
    const auto boot = tree.path() / "boot";
    if (bytes.empty() || !std::filesystem::is_directory(std::filesystem::symlink_status(boot)))
        return;
    for (const auto& name : os::sorted_names(boot)) {
        const auto path = "/boot/" + name;
        const auto status = tree.status(path);
        if (name.starts_with("initrd.img-") && status && S_ISREG(status->st_mode))
            tree.write(path, bytes + tree.read(path), status->st_mode & 07777);
    }
}

}  // namespace

void reserve_room_in_initrds(const os::RootDir& tree, std::size_t size) {
    put_before_initrds(tree, std::string(size, '\1'));
}

void add_names_to_initrds(const os::RootDir& tree, const std::vector<render::GuestFile>& links, std::int64_t date) {
    put_before_initrds(tree, early_archive(links, date));
}

}  // namespace vprov::pipeline
