// Another size for a disk of a guest that has been built.
#pragma once

#include <string>

#include "os/command.h"
#include "pipeline/built_guest.h"

namespace vprov::pipeline {

enum class Shrinking { refused, allowed };

// Gives the disk with that image, file name or mount point another size, and its file system too: in a copy, which
// takes the image's place together with a manifest that says so when all has succeeded and e2fsck has nothing to say.
// An overlay stays one. Throws Error(usage) for a disk that is none of the guest's, one that would shrink and may not,
// and one that cannot be resized here; Error(disk) for one that is damaged or too full.
void resize_disk(const BuiltGuest& guest, const std::string& disk, Bytes size, Shrinking shrinking,
                 os::CommandRunner& runner);

}  // namespace vprov::pipeline
