// What a build writes outside of its own directory: devices, volumes that it makes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "os/command.h"
#include "partition/device/device.h"
#include "partition/device/device_lock.h"
#include "partition/device/logical_volume.h"
#include "partition/device/publication.h"
#include "partition/layout/layout.h"

namespace vprov::pipeline {

// Unless they are kept they are taken back when this goes: devices are erased, new volumes removed. A build that is
// killed leaves a note of each, by which the next one knows what is half-made.
class WrittenDisks {
  public:
    using Write = std::function<void(const partition::DiskPlan&)>;

    WrittenDisks(partition::Publication publication, os::CommandRunner& runner);  // `runner` must outlive it
    ~WrittenDisks();
    WrittenDisks(const WrittenDisks&) = delete;
    WrittenDisks& operator=(const WrittenDisks&) = delete;

    // To a device that is there, looked at once more and erased. Throws Error(disk).
    void write_existing(const partition::DiskPlan& disk, partition::Found found, const Write& write);
    // To a new volume, which has another name meanwhile. Throws Error(disk).
    void write_new(const partition::DiskPlan& disk, const partition::VolumeName& name, const Write& write);
    void name_volumes();  // when all disks are written

    void keep() noexcept;  // when the result is published

  private:
    partition::Publication publication_;
    os::CommandRunner& runner_;
    std::vector<std::filesystem::path> devices_;  // that were there
    std::vector<std::unique_ptr<partition::LogicalVolume>> volumes_;
    std::vector<partition::DeviceLock> locks_;
    bool kept_ = false;
};

// What is on the device is given up: by --erase, or because a build that never came to its end has put it there.
partition::Found found_on(const std::filesystem::path& device, const std::vector<std::filesystem::path>& erase);

}  // namespace vprov::pipeline
