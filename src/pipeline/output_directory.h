// An output directory, in which several builds may be at work side by side, and some may have been killed.
#pragma once

#include <filesystem>
#include <string>

#include "os/temp_dir.h"

namespace vprov::pipeline {

// DIR/.NAME-build-XXXXXX: where whatever becomes DIR/NAME is made. What killed processes left under such a name is
// removed first. Throws Error(disk).
os::TempDir make_work_directory(const std::filesystem::path& output, const std::string& guest);

// What killed processes left there, without making a directory anew.
void remove_stale_work(const std::filesystem::path& output, const std::string& guest);

// Gives the complete directory `finished` the name `place`, atomically: at every instant there is one complete
// directory under it. What was there is under the name `finished` then. Throws Error(disk).
void publish(const std::filesystem::path& finished, const std::filesystem::path& place);

// Brings into agreement what processes that were killed have left: removes their work directories, what the pool holds
// for guests that are not there (guest_pool.h), and bases that no guest needs (shared_bases.h). Where the directory may
// not be written nothing is done. Throws Error(disk) for a pool that cannot be read.
void tidy(const std::filesystem::path& output);

}  // namespace vprov::pipeline
