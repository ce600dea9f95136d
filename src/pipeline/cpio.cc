#include "pipeline/cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace vprov::pipeline {
namespace {

constexpr std::size_t kBlock = 4096;

}  // namespace

void CpioArchive::add(std::string_view name, unsigned mode, std::string_view content) {
    const unsigned links = S_ISDIR(mode) ? 2 : 1;
    bytes_ +=
        fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", ++inode_,
                    mode, 0, 0, links, mode == 0 ? 0 : date_, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
    bytes_ += name;
    bytes_ += '\0';
    pad(4);
    bytes_ += content;
    pad(4);
}

void CpioArchive::add_file(std::string_view path, std::string_view content, unsigned mode) {
    const auto place = std::filesystem::path(path).relative_path();
    std::filesystem::path folder;
    for (const auto& part : place.parent_path())
        if (folder /= part; directories_.insert(folder.native()).second)
            add(folder.native(), S_IFDIR | 0755, "");
    add(place.native(), S_IFREG | mode, content);
}

std::string CpioArchive::finish() {
    add("TRAILER!!!", 0, "");
    pad(kBlock);
    return std::move(bytes_);
}

}  // namespace vprov::pipeline
