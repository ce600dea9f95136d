// What a package's script makes for one machine only, and no two trees may share: host keys and the like.
#pragma once

#include <map>
#include <memory>
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
// path; the RSA key from `early`, of begin_host_key() with the same name, where it is not null. Throws Error(disk),
// Error(interrupted).
void make_unique_files(const os::RootDir& tree, const std::vector<std::string>& known, std::string_view hostname,
                       render::PrivateKeyFormat format, const std::map<std::string, std::string>& given = {},
                       render::EarlyHostKey* early = nullptr);

// What the openssh-server of these packages reads.
render::PrivateKeyFormat host_key_format(const resolve::PackageSet& packages);

// Begins to make the RSA key that these packages want in a tree of this name; null where they have no SSH server.
std::unique_ptr<render::EarlyHostKey> begin_host_key(const resolve::PackageSet& packages, std::string_view hostname,
                                                     render::EarlyHostKey::Haste haste);

// Before the server's postinst runs, which then has no such key to make. It makes others by sshd_config, and writes
// that with an RSA key where there is none: a tree that has one already is left alone.
void place_host_key(const os::RootDir& tree, render::EarlyHostKey& early);

}  // namespace vprov::pipeline
