#include "partition/image/mke2fs.h"

#include "base/error.h"

namespace vprov::partition {
namespace {

// Debian 12's mke2fs.conf. Newer ones add features (orphan_file) that an older guest cannot mount.
std::string features(Filesystem filesystem) {
    std::string text = "none,sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr";
    if (filesystem != Filesystem::ext2)
        text += ",has_journal";
    if (filesystem == Filesystem::ext4)
        text += ",extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize";
    return text;
}

}  // namespace

std::uint64_t bytes_per_inode(Bytes size) {
    return size < 512_MiB ? 4096 : 16384;
}

os::Command mke2fs(const Volume& volume, const std::filesystem::path& image, std::int64_t epoch) {
    os::Command command;
    command.argv = {
        "mke2fs", "-q", "-F", "-t", std::string(name(volume.filesystem)), "-O", features(volume.filesystem)};
    const auto add = [&](std::string option, std::string value) {
        command.argv.push_back(std::move(option));
        command.argv.push_back(std::move(value));
    };
    add("-b", "4096");
    add("-I", "256");
    add("-i", std::to_string(bytes_per_inode(volume.size)));
    add("-U", volume.uuid.text());
    if (!volume.label.empty())
        add("-L", volume.label);
    // the file is sparse and new: tables and journal are zero without being written
    add("-E", fmt::format("root_owner=0:0,hash_seed={},lazy_itable_init=0,lazy_journal_init=1", volume.uuid.text()));
    command.argv.push_back(image.string());
    command.environment = os::clean_environment();
    command.environment["MKE2FS_CONFIG"] = "/nonexistent/mke2fs.conf";
    command.environment["E2FSPROGS_FAKE_TIME"] = std::to_string(epoch);
    return command;
}

}  // namespace vprov::partition
