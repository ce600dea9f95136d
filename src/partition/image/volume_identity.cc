#include "partition/image/volume_identity.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr std::uint64_t kSwapUuid = 1036, kSwapSignature = 4096 - 10;  // linux/swap.h, pages of 4096 bytes
constexpr std::size_t kWindow = 1 << 20;

std::string_view bytes_of(const Uuid& uuid) {
    return {reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()};
}

unsigned little_endian_16(const std::string& bytes, std::size_t place) {
    return static_cast<unsigned char>(bytes.at(place)) |
           static_cast<unsigned>(static_cast<unsigned char>(bytes.at(place + 1))) << 8;
}

void set_swap_uuid(const Volume& volume, ImageBytes& image) {
    if (image.read(volume.start.value + kSwapSignature, 10) != "SWAPSPACE2")
        throw error(ErrorKind::disk, "cannot change {}: it is no swap space", quote(volume.name));
    image.write(volume.start.value + kSwapUuid, bytes_of(volume.uuid));
}

// Microsoft's FAT specification 1.03: BS_VolID is in another place for FAT32, and there is a second boot sector then.
void set_vfat_id(const Volume& volume, ImageBytes& image) {
    constexpr std::size_t kSectorSize = 11, kFatSize16 = 22, kBackup = 50, kId32 = 67, kId16 = 39, kEnd = 510;
    const auto boot = image.read(volume.start.value, 512);
    if (boot.substr(kEnd) != "\x55\xaa")
        throw error(ErrorKind::disk, "cannot change {}: it is no vfat", quote(volume.name));
    auto id = std::string(bytes_of(volume.uuid).substr(0, 4));
    std::ranges::reverse(id);
    const bool is_fat32 = little_endian_16(boot, kFatSize16) == 0;
    image.write(volume.start.value + (is_fat32 ? kId32 : kId16), id);
    if (const auto backup = little_endian_16(boot, kBackup); is_fat32 && backup != 0)
        image.write(volume.start.value + std::uint64_t{backup} * little_endian_16(boot, kSectorSize) + kId32, id);
}

}  // namespace

void set_volume_uuid(const Volume& volume, ImageBytes& image) {
    if (volume.is_swap())
        set_swap_uuid(volume, image);
    else if (volume.filesystem == Filesystem::vfat)
        set_vfat_id(volume, image);
}

std::vector<std::uint64_t> places_of(std::string_view text, const ImageBytes& image, std::uint64_t first,
                                     std::uint64_t end) {
    std::vector<std::uint64_t> places;
    for (auto offset = std::max(first, image.next_data(first)); offset < end;) {
        const auto bytes = image.read(offset, std::min<std::uint64_t>(kWindow + text.size() - 1, end - offset));
        for (auto found = bytes.find(text); found != std::string::npos && found < kWindow;
             found = bytes.find(text, found + 1))
            places.push_back(offset + found);
        const auto next = offset + kWindow;
        offset = next < end ? std::max(next, image.next_data(next)) : end;
    }
    return places;
}

}  // namespace vprov::partition
