#include "pipeline/initrd_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "base/text.h"
#include "os/tree_files.h"

namespace vprov::pipeline {
namespace {

constexpr std::size_t kBlock = 4096;

class CpioWriter {
  public:
    explicit CpioWriter(std::int64_t date) : date_(static_cast<std::uint32_t>(date)) {}

    void add(std::string_view name, unsigned mode, std::string_view content) {
        const unsigned links = S_ISDIR(mode) ? 2 : 1;
        bytes_ += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                              ++inode_, mode, 0, 0, links, mode == 0 ? 0 : date_, content.size(), 0, 0, 0, 0,
                              name.size() + 1, 0);
        bytes_ += name;
        bytes_ += '\0';
        pad(4);
        bytes_ += content;
        pad(4);
    }

    std::string finish() {
        add("TRAILER!!!", 0, "");
        pad(kBlock);
        return std::move(bytes_);
    }

  private:
    void pad(std::size_t unit) { bytes_.resize((bytes_.size() + unit - 1) / unit * unit, '\0'); }

    std::uint32_t date_, inode_ = 0;
    std::string bytes_;
};

}  // namespace

std::string early_archive(const std::vector<render::GuestFile>& files, std::int64_t date) {
    if (files.empty())
        return {};
    CpioWriter cpio(date);
    std::set<std::string> made;
    for (const auto& file : files) {
        const auto path = std::filesystem::path(file.path).relative_path();
        std::filesystem::path folder;
        for (const auto& part : path.parent_path())
            if (folder /= part; made.insert(folder.native()).second)
                cpio.add(folder.native(), S_IFDIR | 0755, "");
        cpio.add(path.native(), S_IFREG | file.mode, file.content);
    }
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
