// Whether programs of an architecture run on this machine: by the kernel itself, or by an emulator that it starts for
// them (binfmt_misc).
#pragma once

#include <filesystem>
#include <string_view>

#include "os/user_namespace.h"

namespace vprov::os {

// What keeps programs of `architecture`, Debian's name, from running in root directories below `directory`; no cause
// where they run. Judged by running one that ends at once, in an empty root directory: what /proc/sys/fs/binfmt_misc
// lists is the outermost namespace's where nobody mounted it anew (since Linux 6.7 every user namespace may have
// handlers of its own, else its parent's hold), is not mounted everywhere, and knows nothing of what the kernel runs by
// itself.
//
// Needs CAP_SYS_CHROOT, as root of a user namespace has it. Threads may be running. Throws Error(usage) when nothing
// can be tried, and Error(disk) when `directory` takes no files.
Obstacle what_forbids_programs_of(std::string_view architecture, const std::filesystem::path& directory);

}  // namespace vprov::os
