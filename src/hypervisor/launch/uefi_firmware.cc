#include "hypervisor/launch/uefi_firmware.h"

#include <array>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;

std::optional<UefiFirmware> find_uefi_firmware(const fs::path& folder) {
    // 4 MB since Debian 11; the other files of ovmf demand signatures
    constexpr std::array<std::string_view, 2> kSizes = {"_4M", ""};
    for (const auto size : kSizes) {
        UefiFirmware found{folder / fmt::format("OVMF_CODE{}.fd", size), folder / fmt::format("OVMF_VARS{}.fd", size)};
        std::error_code none;
        if (fs::is_regular_file(found.code, none) && fs::is_regular_file(found.variables, none))
            return found;
    }
    return std::nullopt;
}

fs::path own_variables(const UefiFirmware& firmware, const fs::path& directory) {
    const auto own = directory / "uefi-variables.fd";
    std::error_code failure;
    if (!fs::exists(own, failure))
        fs::copy_file(firmware.variables, own, failure);
    if (!failure)
        fs::permissions(own, fs::perms::owner_read | fs::perms::owner_write, failure);
    if (failure)
        throw error(ErrorKind::hypervisor, "cannot make {}: {}", quote(own.native()), failure.message());
    return own;
}

}  // namespace vprov::hypervisor
