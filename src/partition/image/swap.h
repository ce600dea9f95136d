// Swap space as mkswap(8) makes it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/uuid.h"

namespace vprov::partition {

// The first page of a swap area of `size`, version 1, for 4096 byte pages in the byte order of this machine: the
// signature at its end, the number of the last page, UUID and label (16 bytes; what is longer is cut). Nothing else of
// the area is ever read before it is written. Throws Error(disk) below 10 pages, which the kernel refuses.
// Format: linux/swap.h, union swap_header.
std::string swap_header(Bytes size, const Uuid& uuid, std::string_view label);

}  // namespace vprov::partition
