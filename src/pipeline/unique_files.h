// What a package's script makes for one machine only, and no two trees may share: host keys and the like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/resolve/resolve.h"
#include "config-render/host_key_pair.h"
#include "os/root_dir.h"

namespace vprov::pipeline {

struct UniqueFiles {
    std::vector<std::string> known;  // paths without a leading "/": make_unique_files() makes them anew
    // Files that no package ships, that others than their owner may not read, and of which nothing is known: "" or one.
    std::string unknown;
};

// In /etc and /var/lib of a configured tree.
UniqueFiles find_unique_files(const os::RootDir& tree);

// Makes those of `known` anew, as their package's postinst would in a guest of this name, or as `given` has them by
// path. Throws Error(disk).
void make_unique_files(const os::RootDir& tree, const std::vector<std::string>& known, std::string_view hostname,
                       render::PrivateKeyFormat format, const std::map<std::string, std::string>& given = {});

// What the openssh-server of these packages reads.
render::PrivateKeyFormat host_key_format(const resolve::PackageSet& packages);

}  // namespace vprov::pipeline
