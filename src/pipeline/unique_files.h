// What a package's script makes for one machine only, and no two trees may share: host keys and the like.
#pragma once

#include <string>
#include <vector>

#include "bootstrap/configure/sandbox.h"
#include "os/root_dir.h"

namespace vprov::pipeline {

struct UniqueFiles {
    std::vector<std::string> known;  // paths without a leading "/": make_unique_files() makes them anew
    // Files that no package ships, that others than their owner may not read, and of which nothing is known: "" or one.
    std::string unknown;
};

// In /etc and /var/lib of a configured tree.
UniqueFiles find_unique_files(const os::RootDir& tree);

// Makes those of `known` anew in a tree that lacks them, as their package's postinst does; by the guest's own programs
// where there are such that are not known here. Throws Error(script).
void make_unique_files(const std::vector<std::string>& known, const os::RootDir& tree, configure::Sandbox& sandbox);

}  // namespace vprov::pipeline
