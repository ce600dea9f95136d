// libparted's global state, held for the time that one device is worked on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "partition/image/parted_library.h"

namespace vprov::partition {

// While one lives libparted says nothing to the terminal: warnings are passed over, and what it says of an error ends
// the message of check(). One at a time: another thread's waits.
class PartedSession {
  public:
    explicit PartedSession(std::string purpose);  // "partition 'x.img'": messages begin with "cannot " and it
    ~PartedSession();
    PartedSession(const PartedSession&) = delete;
    PartedSession& operator=(const PartedSession&) = delete;

    // An image file or a block device; `sector_size` 0 takes what libparted finds. Owned by the session.
    PedDevice* open(const std::filesystem::path& path, std::uint32_t sector_size);

    // Throws Error(disk) unless `succeeded`.
    void check(bool succeeded, std::string_view step) const;

  private:
    std::unique_lock<std::mutex> alone_;
    std::string purpose_;
    PedDevice* device_ = nullptr;
};

}  // namespace vprov::partition
