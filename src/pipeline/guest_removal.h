// Taking away what builds have made.
#pragma once

#include <string>
#include <vector>

#include "os/command.h"
#include "pipeline/built_guest.h"

namespace vprov::pipeline {

// Removes what the builds have made: images, configuration, logical volumes, what the pool has given the guest, and a
// base that no other guest needs. Files and directories that others put beside them stay, and are returned. At every
// instant the guest is there whole, or gone; killed before the end, what is left goes with the next command (tidy()).
// Throws Error(disk).
std::vector<std::string> remove_guest(const BuiltGuest& guest, os::CommandRunner& runner);

}  // namespace vprov::pipeline
