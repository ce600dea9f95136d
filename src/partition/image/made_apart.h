// For programs that cannot make a file system in the middle of a file.
#pragma once

#include <filesystem>
#include <functional>

#include "partition/image/place.h"

namespace vprov::partition {

// Calls `make` with the path of a file or device that is the place and nothing else: the image or device itself where
// the place begins with it, a loop device on a device's part, or else a sparse file beside the image, whose content is
// moved into it afterwards. Throws Error(disk), and what make throws.
void make_apart(const Place& place, Bytes size, const std::function<void(const std::filesystem::path&)>& make);

}  // namespace vprov::partition
