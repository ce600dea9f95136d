// The identifiers of a GPT: libparted 3.5 draws its own and has no way to say which. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/uuid.h"

namespace vprov::partition {

struct GptEntry {
    Uuid partuuid;
    std::uint64_t attributes = 0;  // bit 0 required, 1 no block IO, 2 legacy BIOS bootable, 48 to 63 the type's
};

// Sets the GUIDs and attributes in one copy of a table, and its checksums: `header` is one sector (or the first 512
// bytes of it), `entries` the whole array, by partition numbers from 1. Throws Error(disk) when they are no GPT's.
// Format: UEFI 2.10, 5.3.
void set_gpt_identity(std::string& header, std::string& entries, const Uuid& disk,
                      const std::map<unsigned, GptEntry>& partitions);

// As GPT stores it: the first three groups with their bytes reversed.
std::array<char, 16> gpt_bytes(const Uuid& uuid);

std::uint32_t crc32(const std::string& data);  // of IEEE 802.3

}  // namespace vprov::partition
