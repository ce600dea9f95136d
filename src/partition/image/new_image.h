// An image file that is there whole or not at all.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "os/fd.h"

namespace vprov::partition {

// A sparse file of the disk's size; removed again unless kept.
class NewImage {
  public:
    // Throws Error(disk); the file must not exist.
    NewImage(std::filesystem::path path, Bytes size);
    ~NewImage();
    NewImage(const NewImage&) = delete;
    NewImage& operator=(const NewImage&) = delete;

    const std::filesystem::path& path() const { return path_; }
    int fd() const { return fd_.get(); }
    void keep() { kept_ = true; }

  private:
    void remove() const noexcept;

    std::filesystem::path path_;
    os::Fd fd_;
    bool kept_ = false;
};

}  // namespace vprov::partition
