// What an image is based on, by its header. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// So much of an image's beginning holds all that is read here: QEMU keeps it within the first cluster.
inline constexpr std::size_t kImageHeadSize = 64 << 10;

struct ImageBase {
    std::string file;                  // as it is written there: relative to the image's own folder
    std::optional<DiskFormat> format;  // nullopt: it does not say
};

// nullopt for an image that stands alone. The formats that can be based on another: qcow (1 to 3, QEMU's
// docs/interop/qcow2.txt) and qed (docs/interop/qed_spec.txt). Throws Error(hypervisor), only the cause, for a header
// that is cut off or names a file where QEMU would have to look by itself (an external data file).
std::optional<ImageBase> base_of_image(DiskFormat format, std::string_view head);

}  // namespace vprov::hypervisor
