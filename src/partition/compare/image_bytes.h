// The bytes of two images. Holes are not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/bytes.h"

namespace vprov::partition {

// Where in [start, start + size) the files differ first; both have at least as many bytes. Throws Error(disk).
std::optional<std::uint64_t> first_difference(const std::filesystem::path& one, const std::filesystem::path& other,
                                              Bytes start, Bytes size);

// A new sparse file `to` with the bytes [start, start + size) of `from`. Throws Error(disk).
void extract(const std::filesystem::path& from, Bytes start, Bytes size, const std::filesystem::path& to);

}  // namespace vprov::partition
