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

os::Command mke2fs(const Volume& volume, const Place& place, std::int64_t epoch) {
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
    auto extended = fmt::format("root_owner=0:0,hash_seed={}", volume.uuid.text());
    // a file is sparse and new: its journal is zero without being written
    extended += place.kind == PlaceKind::image ? ",lazy_itable_init=0,lazy_journal_init=1"
                                               : ",nodiscard,lazy_itable_init=0,lazy_journal_init=0";
    if (place.offset.value > 0)
        extended += fmt::format(",offset={}", place.offset.value);
    add("-E", extended);
    command.argv.push_back(place.file.string());
    command.argv.push_back(fmt::format("{}k", volume.size.value / 1024));
    command.environment = os::clean_environment();
    command.environment["MKE2FS_CONFIG"] = "/nonexistent/mke2fs.conf";
    command.environment["E2FSPROGS_FAKE_TIME"] = std::to_string(epoch);
    return command;
}

}  // namespace vprov::partition
