// The way back from write_tar(): a tree from its tar. For tars of our own only, whose digest has been checked; .debs
// come from strangers and are read by bootstrap/unpack.
#pragma once

#include <filesystem>

#include "os/root_dir.h"

namespace vprov::pack {

// Makes everything that the tar holds below `root`, which is empty: owners, modes, whole-second times, hard links and
// extended attributes as they were. Device nodes are left out where they cannot be made (a user namespace). Throws
// Error(disk), and Error(interrupted) on a stop request.
void read_tar(const std::filesystem::path& tar, const os::RootDir& root);

}  // namespace vprov::pack
