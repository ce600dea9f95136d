// Running the programs that make file systems.
#pragma once

#include <string_view>

#include "os/command.h"
#include "partition/image/place.h"

namespace vprov::partition {

// Throws Error(disk) "cannot write TITLE: ...": with the command's words when it fails, naming Debian's `package` when
// it is not there.
os::CommandResult run_mkfs(const os::Command& command, const Place& place, std::string_view package,
                           os::CommandRunner& runner);

}  // namespace vprov::partition
