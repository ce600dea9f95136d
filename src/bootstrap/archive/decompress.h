// Compressed index files to text, through libarchive, gzip through libdeflate. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vprov::archive {

// `name` tells the format by its end: .zst, .xz, .gz, .bz2, or none. `expected` is the size to make room for. Throws
// Error(archive) with the bare cause for damaged data, and when there is more than `limit`, which is where it stops.
std::string decompressed(std::string_view data, std::string_view name, Bytes expected, Bytes limit);

}  // namespace vprov::archive
