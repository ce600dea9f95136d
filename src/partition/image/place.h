// Where the bytes of a file system go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"

namespace vprov::partition {

enum class PlaceKind { image, device };

// A file or block device, which exists and is long enough, from `offset` on. An image's bytes there are zeros, and so
// are holes of it; a device may hold anything.
struct Place {
    std::filesystem::path file;
    Bytes offset = {};
    PlaceKind kind = PlaceKind::image;
    std::string title = {};              // as messages call it: "root.img"
    std::uint32_t sector_size = 512;     // of the disk
    std::filesystem::path scratch = {};  // a directory for what is needed meanwhile
};

}  // namespace vprov::partition
