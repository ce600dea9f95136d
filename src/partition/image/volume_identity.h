// Identifiers of file systems that are there already, set in place.
#pragma once

#include "partition/image/image_bytes.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// Gives the swap space or vfat at the volume's place on `image` the volume's UUID; nothing for other content. Throws
// Error(disk) where it is none.
void set_volume_uuid(const Volume& volume, ImageBytes& image);

// Where `text` is in the bytes from `first` up to `end` of `image`, in order.
std::vector<std::uint64_t> places_of(std::string_view text, const ImageBytes& image, std::uint64_t first,
                                     std::uint64_t end);

}  // namespace vprov::partition
