// A file of the cache as bytes in memory.
#pragma once

#include <filesystem>
#include <string_view>

namespace vprov::unpack {

// Read from beginning to end, once. The bytes are good for its life.
class MappedFile {
  public:
    explicit MappedFile(const std::filesystem::path& path);  // throws Error(archive), for an empty file too
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::string_view bytes() const { return bytes_; }

  private:
    std::string_view bytes_;
};

}  // namespace vprov::unpack
