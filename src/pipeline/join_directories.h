// A finished tree moved into a directory that cannot be replaced.
#pragma once

#include <filesystem>

namespace vprov::pipeline {

// Moves everything below `from` into `to`, on the same file system, by rename: what is not there yet in one step, with
// all below it. Directories that both have are joined and take mode, owner and times of `from`; any other entry is
// replaced. Mount points stay as they are. Links are never followed. Throws Error(disk) where one has a directory
// and the other has none.
void join_directories(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace vprov::pipeline
