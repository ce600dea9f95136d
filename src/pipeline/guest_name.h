// A configured tree serves guests of any name when its scripts have not seen the guest's own. They see kUnnamedGuest
// instead; what they wrote it into is given the guest's name afterwards.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/resolve/resolve.h"
#include "os/root_dir.h"

namespace vprov::pipeline {

// A host name that no guest has and no text contains by chance.
constexpr std::string_view kUnnamedGuest = "unnamed-vprov-guest";

struct NamedFiles {
    std::vector<std::string> text;  // paths without a leading "/": the name can be replaced in them
    // A file in which it cannot, for it is not text or no part of a skeleton: such a tree is made for one guest only.
    // "" : none.
    std::string other;
};

// Files of the tree, changed at `date` (seconds since the epoch) or later, that contain kUnnamedGuest, but for those in
// `left_out`. Throws Error(disk).
NamedFiles find_named_files(const std::filesystem::path& tree, std::int64_t date,
                            const std::vector<std::string>& left_out);

// In place of kUnnamedGuest; owners and modes stay.
void write_name(const os::RootDir& tree, const std::vector<std::string>& files, std::string_view hostname);

// A package of the set whose scripts are known to put the host name where it cannot be found again: into a certificate,
// say. "" : none.
std::string_view package_that_needs_name(const resolve::PackageSet& packages);

}  // namespace vprov::pipeline
