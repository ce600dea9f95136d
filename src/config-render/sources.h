// apt's sources in the guest. Pure.
#pragma once

#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// Where the packages came from is where the guest goes on. A distribution's repository that only this host can reach
// (file:, loopback) becomes the default mirror; one of the recipe's own is written but disabled. Keyrings that no
// package of the guest brings are copied to /etc/apt/keyrings. Up to bookworm the distribution stands in sources.list,
// later in sources.list.d/debian.sources; the recipe's own repositories in sources.list.d/vprov.sources.
std::vector<GuestFile> source_files(const plan::Plan& plan);

}  // namespace vprov::render
