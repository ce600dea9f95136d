// The UEFI firmware that QEMU starts guests with: OVMF of Debian's package ovmf. Looks at files; copies one.
#pragma once

#include <filesystem>
#include <optional>

namespace vprov::hypervisor {

struct UefiFirmware {
    std::filesystem::path code;       // shared, read only
    std::filesystem::path variables;  // what a new machine's own copy begins as
};

// The one for machines without System Management Mode, which starts what is not signed too. nullopt: not installed.
std::optional<UefiFirmware> find_uefi_firmware(const std::filesystem::path& folder = "/usr/share/OVMF");

// The domain's own variables, DIRECTORY/uefi-variables.fd: copied when the domain has none yet, so that they outlast a
// restart and not the domain. Throws Error(hypervisor).
std::filesystem::path own_variables(const UefiFirmware& firmware, const std::filesystem::path& directory);

}  // namespace vprov::hypervisor
