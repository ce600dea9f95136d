// Times of a tree's files. Changes the tree.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vprov::pipeline {

// Whatever below `tree`, itself included, was changed after `latest` (seconds since the epoch) was changed then. Links
// are not followed, other file systems not entered. Throws Error(disk).
void limit_dates(const std::filesystem::path& tree, std::int64_t latest);

}  // namespace vprov::pipeline
