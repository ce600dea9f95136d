// The content of a disk, whatever holds it. All throw Error(disk).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "os/fd.h"

namespace vprov::partition {

class ImageBytes {
  public:
    virtual ~ImageBytes() = default;
    virtual Bytes size() const = 0;
    virtual void read(std::uint64_t offset, char* bytes, std::size_t count) const = 0;  // behind the end are zeros
    virtual void write(std::uint64_t offset, std::string_view bytes) = 0;               // not behind the end

    std::string read(std::uint64_t offset, std::size_t count) const;
    // The next place at `offset` or behind it that may be no zero; the largest number where there is none.
    virtual std::uint64_t next_data(std::uint64_t offset) const = 0;
};

// A raw image or a device, changed in place.
class RawImage final : public ImageBytes {
  public:
    enum class Access { reading, writing };
    RawImage(const std::filesystem::path& file, Access access);
    Bytes size() const override { return size_; }
    using ImageBytes::read;
    void read(std::uint64_t offset, char* bytes, std::size_t count) const override;
    void write(std::uint64_t offset, std::string_view bytes) override;
    std::uint64_t next_data(std::uint64_t offset) const override;

  private:
    std::filesystem::path name_;
    os::Fd fd_;
    Bytes size_;
};

}  // namespace vprov::partition
