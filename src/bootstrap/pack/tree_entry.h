// What a tar member needs to know of a file of the tree. Reads the file's metadata.
#pragma once

#include <archive_entry.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vprov::pack {

struct FreeEntry {
    void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};
using EntryPointer = std::unique_ptr<archive_entry, FreeEntry>;

struct stat status_of(const std::filesystem::path& path);                    // lstat(2); throws Error(disk)
std::vector<std::string> sorted_names(const std::filesystem::path& folder);  // without "." and ".."; throws Error(disk)
// Adds those of the namespaces user, security and the ACLs, sorted, without security.selinux. Throws Error(disk).
void add_attributes(archive_entry* entry, const std::filesystem::path& path);

}  // namespace vprov::pack
