// What goes into an image or an archive of a file besides its content. Reads metadata, of final links too, not through
// them. All throw Error(disk) "cannot read 'PATH': ...".
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace vprov::os {

struct ExtendedAttribute {
    std::string name, value;  // "security.capability"; the value as the kernel gives it
};

// For errno as it is now.
Error unreadable(const std::filesystem::path& path);

struct stat status_of(const std::filesystem::path& path);
std::vector<std::string> sorted_names(const std::filesystem::path& folder);  // without "." and ".."
// Those of the namespaces security and user and the ACLs, sorted by name, without the host's labels (security.selinux).
std::vector<ExtendedAttribute> attributes_of(const std::filesystem::path& path);

}  // namespace vprov::os
