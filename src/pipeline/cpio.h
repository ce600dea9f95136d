// An archive as Linux unpacks it into its initramfs: cpio's "newc" (Documentation/driver-api/early-userspace/
// buffer-format.rst).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace vprov::pipeline {

// All is root's and as old as `date`, seconds since the epoch. Members have their inodes in the order in which they are
// added, so that the same calls give the same bytes.
class CpioArchive {
  public:
    explicit CpioArchive(std::int64_t date) : date_(static_cast<std::uint32_t>(date)) {}

    // A regular file, and the directories above it that are not there yet, 0755. `path` may begin with "/".
    void add_file(std::string_view path, std::string_view content, unsigned mode = 0644);

    // Filled up with zeros to blocks of 4096 bytes.
    std::string finish();

  private:
    void add(std::string_view name, unsigned mode, std::string_view content);
    void pad(std::size_t unit) { bytes_.resize((bytes_.size() + unit - 1) / unit * unit, '\0'); }

    std::uint32_t date_, inode_ = 0;
    std::string bytes_;
    std::set<std::string> directories_;
};

}  // namespace vprov::pipeline
