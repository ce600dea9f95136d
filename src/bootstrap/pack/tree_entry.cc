#include "bootstrap/pack/tree_entry.h"

#include "os/tree_files.h"

namespace vprov::pack {

void add_attributes(archive_entry* entry, const std::filesystem::path& path) {
    for (const auto& [name, value] : os::attributes_of(path))
        ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
}

}  // namespace vprov::pack
