#include "hypervisor/launch/kernel_machine.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vprov::hypervisor {
namespace {

struct Machine {
    std::uint32_t number;
    std::string_view architecture;
};
constexpr std::array<Machine, 5> kMachines = {
    {{0xaa64, "arm64"}, {0x5064, "riscv64"}, {0x01c2, "armhf"}, {0x01c4, "armhf"}, {0x6264, "loong64"}}};

// Little endian; 0 beyond the end.
std::uint32_t number_at(std::string_view head, std::size_t offset, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size && offset + i < head.size(); ++i)
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(head[offset + i])) << (8 * i);
    return value;
}

bool stands_at(std::string_view head, std::size_t offset, std::string_view text) {
    return head.size() >= offset && head.substr(offset).starts_with(text);
}

}  // namespace

std::string_view foreign_machine(std::string_view head) {
    constexpr std::size_t kMagic = 56, kPeOffset = 60;
    if (stands_at(head, kMagic, "ARM\x64"))
        return "arm64";
    if (stands_at(head, kMagic, "RSC\x05"))
        return "riscv64";
    const std::size_t pe = number_at(head, kPeOffset, 4);
    if (!head.starts_with("MZ") || !stands_at(head, pe, std::string_view("PE\0\0", 4)))
        return {};
    const auto number = number_at(head, pe + 4, 2);
    const auto* machine = std::find_if(kMachines.begin(), kMachines.end(),
                                       [&](const Machine& candidate) { return candidate.number == number; });
    return machine == kMachines.end() ? std::string_view{} : machine->architecture;
}

}  // namespace vprov::hypervisor
