#include "partition/image/gpt_identity.h"

#include <endian.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kHeaderSize = 12, kHeaderCrc = 16, kDiskGuid = 56, kEntryCount = 80, kEntrySize = 84,
                      kEntriesCrc = 88;
constexpr std::size_t kPartuuid = 16, kAttributes = 48;  // within an entry

std::uint32_t word_at(const std::string& data, std::size_t offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, data.data() + offset, sizeof value);
    return le32toh(value);
}

void set_word(std::string& data, std::size_t offset, std::uint32_t value) {
    value = htole32(value);
    std::memcpy(data.data() + offset, &value, sizeof value);
}

}  // namespace

std::uint32_t crc32(const std::string& data) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : data) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    return ~crc;
}

std::array<char, 16> gpt_bytes(const Uuid& uuid) {
    std::array<char, 16> bytes{};
    std::copy(uuid.bytes.begin(), uuid.bytes.end(), bytes.begin());
    std::reverse(bytes.begin(), bytes.begin() + 4);
    std::reverse(bytes.begin() + 4, bytes.begin() + 6);
    std::reverse(bytes.begin() + 6, bytes.begin() + 8);
    return bytes;
}

void set_gpt_identity(std::string& header, std::string& entries, const Uuid& disk,
                      const std::map<unsigned, GptEntry>& partitions) {
    if (header.size() < 512 || !header.starts_with("EFI PART"))
        throw error(ErrorKind::disk, "cannot find the GPT that was written");
    const auto header_size = word_at(header, kHeaderSize);
    const auto count = word_at(header, kEntryCount), size = word_at(header, kEntrySize);
    if (header_size < 92 || header_size > header.size() || size < 128 ||
        std::uint64_t{count} * size != entries.size() || (!partitions.empty() && partitions.rbegin()->first > count))
        throw error(ErrorKind::disk, "cannot read the GPT that was written");
    for (const auto& [number, partition] : partitions) {
        const auto entry = (number - 1) * std::size_t{size};
        const auto guid = gpt_bytes(partition.partuuid);
        std::copy(guid.begin(), guid.end(), entries.begin() + static_cast<std::ptrdiff_t>(entry + kPartuuid));
        const auto attributes = htole64(partition.attributes);
        std::memcpy(entries.data() + entry + kAttributes, &attributes, sizeof attributes);
    }
    const auto guid = gpt_bytes(disk);
    std::copy(guid.begin(), guid.end(), header.begin() + kDiskGuid);
    set_word(header, kEntriesCrc, crc32(entries));
    set_word(header, kHeaderCrc, 0);
    set_word(header, kHeaderCrc, crc32(header.substr(0, header_size)));
}

}  // namespace vprov::partition
