// Mounts that nobody else sees and that vanish with whoever made them.
#pragma once

#include <filesystem>
#include <functional>

namespace vprov::partition {

// Runs `work` in a thread of its own with a private mount namespace, which ends with it, or with this process whatever
// ends it. Programs that `work` starts see its mounts; other threads do not. What work throws is thrown. Needs
// CAP_SYS_ADMIN, as root of a user namespace has it.
void in_private_mounts(const std::function<void()>& work);

// Within it. Throw Error(disk).
void bind_mount(const std::filesystem::path& from, const std::filesystem::path& over);
void mount_filesystem(const std::filesystem::path& device, const std::filesystem::path& at, const char* type);
void unmount(const std::filesystem::path& at);  // writes what is not written yet

}  // namespace vprov::partition
