// LVM volumes that a build makes. Commands are pure; running them is LogicalVolume's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "os/command.h"

namespace vprov::partition {

struct VolumeName {  // of a path as /dev/vg0/debian1-root
    std::string group, volume;
    bool operator==(const VolumeName&) const = default;
};
std::optional<VolumeName> volume_name_of(const std::filesystem::path& device);  // nullopt for another path

os::Command free_room(const VolumeName& name);  // says the group's free bytes and its extents' size
os::Command create_volume(const VolumeName& name, Bytes size);
os::Command rename_volume(const VolumeName& name, const std::string& to);
os::Command remove_volume(const VolumeName& name);
os::Command list_volumes(const std::string& group);  // a name a line

// Whether the group has room for the volume. Throws Error(disk) with the missing bytes.
void check_group(const VolumeName& name, Bytes size, os::CommandRunner& runner);

// A volume under another name, removed again unless it is published under its own: whatever ends the build before,
// nothing half-made has that name. What an earlier build left is removed first.
class LogicalVolume {
  public:
    // Throws Error(disk): there is no such group, or it has not room enough (the missing bytes are told).
    LogicalVolume(VolumeName name, Bytes size, os::CommandRunner& runner);
    ~LogicalVolume();
    LogicalVolume(const LogicalVolume&) = delete;
    LogicalVolume& operator=(const LogicalVolume&) = delete;
    std::filesystem::path device() const;  // to write to, until it is published
    void publish();

  private:
    VolumeName name_;
    os::CommandRunner& runner_;
    bool published_ = false;
};

}  // namespace vprov::partition
