// The checksums of metadata (metadata_csum), which depend on the file system's UUID. Internal to ext_editor.
#pragma once

#include <ext2fs/ext2fs.h>

namespace vprov::partition {

// After the UUID in the superblock has changed: writes every inode, directory, extent block, attribute block, bitmap and
// group descriptor again. Nothing to do without metadata_csum. Throws Error(disk).
void write_checksums_anew(ext2_filsys fs);

}  // namespace vprov::partition
