// qcow2 overlays: images that hold only what differs from a raw one. Format: qcow2 version 3, docs/interop/qcow2.txt of
// QEMU 7.2.
#pragma once

#include <map>
#include <vector>

#include "partition/image/image_bytes.h"

namespace vprov::partition {

// The content of a raw image, and what has been written over it, which is in memory until save(). Throws Error(disk).
class Overlay final : public ImageBytes {
  public:
    explicit Overlay(const std::filesystem::path& base);

    Bytes size() const override { return base_.size(); }
    using ImageBytes::read;
    void read(std::uint64_t offset, char* bytes, std::size_t count) const override;
    void write(std::uint64_t offset, std::string_view bytes) override;
    std::uint64_t next_data(std::uint64_t offset) const override;

    // A new file of mode 0600. `backing` is what it calls the base: a path, from the directory that the overlay is in
    // when it is used.
    void save(const std::filesystem::path& file, const std::string& backing) const;

  private:
    std::vector<char>& changed(std::uint64_t cluster);
    RawImage base_;
    std::map<std::uint64_t, std::vector<char>> clusters_;  // of 64 KiB, by their numbers
};

// An overlay of `base` with the content of `raw`, which may be larger or smaller, and is as large. Throws Error(disk).
void write_overlay(const std::filesystem::path& raw, const std::filesystem::path& base,
                   const std::filesystem::path& file, const std::string& backing);

}  // namespace vprov::partition
