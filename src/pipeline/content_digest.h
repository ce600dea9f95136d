// A digest of files that are mostly holes.
#pragma once

#include <filesystem>
#include <string>

namespace vprov::pipeline {

// 64 hexadecimal digits, which follow from the size and the bytes, and not from where holes are: SHA-256 over that of
// each MiB which is not all zeros, with its number. On all cores. Throws Error(disk).
std::string content_digest(const std::filesystem::path& file);

}  // namespace vprov::pipeline
