// What a build notes of a device before it writes to it: whatever ends the build, the next one knows what is half-made
// there for what it is. The notes are in $VPROV_STATE_DIR/devices, or /run/vprov/devices; where that cannot be written
// none are made, and the next build has to be told '--erase'.
#pragma once

#include <filesystem>

#include "partition/device/publication.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// All of these are called with the device's lock held (device_lock.h).

void note_writing(const DiskPlan& disk, const Publication& publication);
void forget_writing(const std::filesystem::path& device) noexcept;

// Whether all that is on the device was put there by a build that wrote to it and never published its result: the note
// is of such a build, and every UUID that is found one of its own.
bool is_left_unfinished(const std::filesystem::path& device);

}  // namespace vprov::partition
