// What is in an ext2/3/4 file system of an image: libext2fs, read only, no mount.
#pragma once

#include "base/bytes.h"
#include "partition/compare/tree_listing.h"

namespace vprov::partition {

// The file system begins at `offset` of `image`. All throw Error(disk), also for one that is damaged.
TreeListing list_ext(const std::filesystem::path& image, Bytes offset);

// A regular file's content, without following a link at its end; nullopt for anything else. At most 1 MiB.
std::optional<std::string> read_ext_file(const std::filesystem::path& image, Bytes offset, const std::string& path);

}  // namespace vprov::partition
