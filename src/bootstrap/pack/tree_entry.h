// What a tar member needs to know of a file of the tree. Reads the file's metadata.
#pragma once

#include <archive_entry.h>

#include <filesystem>
#include <memory>

namespace vprov::pack {

struct FreeEntry {
    void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};
using EntryPointer = std::unique_ptr<archive_entry, FreeEntry>;

// Adds os::attributes_of(). Throws Error(disk).
void add_attributes(archive_entry* entry, const std::filesystem::path& path);

}  // namespace vprov::pack
