// A disk as libext2fs reads and writes it. Internal to ext_editor.
#pragma once

#include <ext2fs/ext2fs.h>

#include "partition/image/image_bytes.h"

namespace vprov::partition {

// The next file system that this thread opens with manager() begins at `offset` of the image.
class ImageIo {
  public:
    static constexpr const char* kName = "image";  // to open; it names no file
    ImageIo(ImageBytes& image, Bytes offset);
    ~ImageIo();
    ImageIo(const ImageIo&) = delete;
    ImageIo& operator=(const ImageIo&) = delete;
    io_manager manager() const;
};

}  // namespace vprov::partition
