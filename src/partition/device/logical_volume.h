// LVM volumes that a build makes. Commands are pure; running them is the functions' and LogicalVolume's below.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "os/command.h"
#include "partition/device/publication.h"

namespace vprov::partition {

struct VolumeName {  // of a path as /dev/vg0/debian1-root
    std::string group, volume;
    bool operator==(const VolumeName&) const = default;
};
std::optional<VolumeName> volume_name_of(const std::filesystem::path& device);  // nullopt for another path
bool is_volume(const std::filesystem::path& device);  // by what the kernel says of a device that is there

struct NewVolume {
    VolumeName name;
    Bytes size;
};

os::Command free_room(const std::string& group);  // says the group's free bytes and its extents' size
os::Command create_volume(const NewVolume& volume, const std::string& tag);
os::Command rename_volume(const VolumeName& name, const std::string& to);
os::Command remove_volume(const VolumeName& name);
os::Command untag_volume(const VolumeName& name, const std::string& tag);
os::Command list_volumes(const std::string& group);  // a name and its tags a line

// Makes what an earlier build has left of the volume agree with what it has published: what was not is removed. Throws
// Error(disk) where another build is at it, and for a volume that is there and not active.
void settle_volume(const VolumeName& name, os::CommandRunner& runner);

// Whether the groups have room for all of these. Throws Error(disk) with the missing bytes.
void check_groups(const std::vector<NewVolume>& volumes, os::CommandRunner& runner);

// A volume under another name while it is written, and with the build's mark until that is published: whatever ends the
// build before, the next one knows it for half-made.
class LogicalVolume {
  public:
    // Throws Error(disk): there is no such group, or it has not room enough (the missing bytes are told).
    LogicalVolume(NewVolume volume, const Publication& publication, os::CommandRunner& runner);
    ~LogicalVolume();  // removes it, unless it is kept
    LogicalVolume(const LogicalVolume&) = delete;
    LogicalVolume& operator=(const LogicalVolume&) = delete;
    std::filesystem::path device() const;  // to write to
    void take_name();                      // its own, when it is written
    void keep() noexcept;                  // when the build is published

  private:
    VolumeName current() const;

    VolumeName name_;
    std::string tag_;
    os::CommandRunner& runner_;
    bool named_ = false, kept_ = false;
};

}  // namespace vprov::partition
