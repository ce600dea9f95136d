#include "pipeline/written_disks.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "partition/device/device_record.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;

WrittenDisks::WrittenDisks(partition::Publication publication, os::CommandRunner& runner)
    : publication_(std::move(publication)), runner_(runner) {}

WrittenDisks::~WrittenDisks() {
    if (kept_)
        return;
    for (const auto& device : devices_) {
        try {
            partition::erase_device(device);
            partition::forget_writing(device);
        } catch (const Error&) {
            continue;  // it has gone, or takes no more; the failure that led here is what is told
        }
    }
    locks_.clear();  // a volume that is open is not removed
    volumes_.clear();
}

void WrittenDisks::write_existing(const partition::DiskPlan& disk, partition::Found found, const Write& write) {
    partition::DeviceLock lock(disk.device);
    if (partition::is_left_unfinished(disk.device))
        found = partition::Found::given_up;
    partition::check_device(disk.device, found);
    partition::note_writing(disk, publication_);
    locks_.push_back(std::move(lock));
    devices_.emplace_back(disk.device);
    partition::erase_device(disk.device);
    write(disk);
    partition::reread_table(disk.device);
}

void WrittenDisks::write_new(const partition::DiskPlan& disk, const partition::VolumeName& name, const Write& write) {
    volumes_.push_back(
        std::make_unique<partition::LogicalVolume>(partition::NewVolume{name, disk.size}, publication_, runner_));
    auto unfinished = disk;
    unfinished.device = volumes_.back()->device();
    locks_.emplace_back(unfinished.device);
    write(unfinished);
}

void WrittenDisks::name_volumes() {
    for (const auto& volume : volumes_) volume->take_name();
}

void WrittenDisks::keep() noexcept {
    kept_ = true;
    for (const auto& device : devices_) partition::forget_writing(device);
    for (const auto& volume : volumes_) volume->keep();
}

partition::Found found_on(const fs::path& device, const std::vector<fs::path>& erase) {
    const auto same = [&](const fs::path& named) {
        return fs::weakly_canonical(named) == fs::weakly_canonical(device);
    };
    const bool given_up = std::ranges::any_of(erase, same) || partition::is_left_unfinished(device);
    return given_up ? partition::Found::given_up : partition::Found::refused;
}

}  // namespace vprov::pipeline
