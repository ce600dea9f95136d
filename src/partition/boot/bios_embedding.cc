#include "partition/boot/bios_embedding.h"

#include <algorithm>

#include "base/error.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kSector = 512;

// boot.img (GRUB_BOOT_MACHINE_...)
constexpr std::size_t kBpbStart = 0x3, kBpbEnd = 0x5a;
constexpr std::size_t kKernelSector = 0x5c;  // eight bytes: where core.img begins
constexpr std::size_t kBootDrive = 0x64;     // 0xff: the one that the BIOS names
constexpr std::size_t kDriveCheck = 0x66;    // a jump over the check for a BIOS that passes a floppy's number
constexpr std::size_t kDiskSignature = 0x1b8, kTableEnd = 0x1fe;
constexpr char kNop = '\x90';

// core.img begins with diskboot.img, at whose end block lists grow downwards; 0xffff there is one that was made to be
// read from a file system.
constexpr std::size_t kBlockList = kSector - 12;            // start (8), sectors (2), segment (2)
constexpr std::uint16_t kSegment = 0x800 + (kSector >> 4);  // GRUB_BOOT_I386_PC_KERNEL_SEG, behind diskboot.img
// In the second sector: bytes of Reed-Solomon code, and where what it protects begins.
constexpr std::size_t kRedundancy = kSector + 0x10, kUnprotected = kSector + 0x14;
constexpr std::size_t kMostSectors = 0xffff;  // of one block list

void put(std::string& data, std::size_t offset, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) data[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

bool has_boot_signature(std::string_view sector) {
    return sector.size() == kSector && sector.substr(kTableEnd) == "\x55\xaa";
}

}  // namespace

EmbeddingArea gap_before(Bytes first_partition) {
    const auto end = std::max<std::uint64_t>(first_partition.value / kSector, 1);
    return {{kSector}, {(end - 1) * kSector}, "the gap before the first partition"};
}

std::string boot_sector(std::string_view boot_img, std::string_view present, Bytes core_start) {
    if (!has_boot_signature(boot_img))
        throw error(ErrorKind::disk, "cannot use GRUB's boot.img: it is no boot sector");
    if (present.size() != kSector)
        throw error(ErrorKind::internal, "internal error: a boot sector of {} bytes", present.size());
    std::string sector(boot_img);
    const auto keep = [&](std::size_t start, std::size_t end) {
        std::ranges::copy(present.substr(start, end - start), sector.begin() + static_cast<std::ptrdiff_t>(start));
    };
    keep(kBpbStart, kBpbEnd);
    keep(kDiskSignature, kTableEnd);
    put(sector, kKernelSector, core_start.value / kSector, 8);
    sector[kBootDrive] = '\xff';
    sector[kDriveCheck] = sector[kDriveCheck + 1] = kNop;
    return sector;
}

std::string placed_core(std::string_view core_img, const EmbeddingArea& area) {
    const auto sectors = (core_img.size() + kSector - 1) / kSector;
    if (sectors < 3 || sectors > kMostSectors || core_img.substr(kUnprotected, 2) == "\xff\xff")
        throw error(ErrorKind::disk, "cannot use GRUB's core.img: it is none for a BIOS");
    const Bytes wanted{sectors * kSector};
    if (wanted > area.size)
        throw error(ErrorKind::disk,
                    "cannot put GRUB into {}: core.img takes {}, there is room for {}: {} bytes are missing", area.name,
                    human(wanted), human(area.size), wanted.value - area.size.value);
    std::string core(core_img);
    core.resize(sectors * kSector);
    std::fill(core.begin() + kBlockList - 12, core.begin() + kSector, '\0');  // and an end of the list below it
    put(core, kBlockList, area.start.value / kSector + 1, 8);
    put(core, kBlockList + 8, sectors - 1, 2);
    put(core, kBlockList + 10, kSegment, 2);
    put(core, kRedundancy, 0, 4);
    return core;
}

}  // namespace vprov::partition
