#include "hypervisor/launch/image_chain.h"

#include <array>
#include <cstdint>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

enum class Order { big, little };

// Numbers and bytes of a header; what lies beyond its end is an error.
class Header {
  public:
    Header(std::string_view bytes, Order order) : bytes_(bytes), order_(order) {}

    std::string_view bytes(std::uint64_t offset, std::uint64_t size) const {
        if (offset > bytes_.size() || size > bytes_.size() - offset)
            throw error(ErrorKind::hypervisor, "its header is cut off, or points beyond its first {} KiB",
                        kImageHeadSize >> 10);
        return bytes_.substr(offset, size);
    }
    std::uint64_t number(std::uint64_t offset, std::size_t size) const {
        const auto field = bytes(offset, size);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i)
            value = value << 8 | static_cast<unsigned char>(field[order_ == Order::big ? i : size - 1 - i]);
        return value;
    }
    std::uint32_t u32(std::uint64_t offset) const { return static_cast<std::uint32_t>(number(offset, 4)); }
    std::uint64_t u64(std::uint64_t offset) const { return number(offset, 8); }

  private:
    std::string_view bytes_;
    Order order_;
};

// As QEMU's block drivers are called.
DiskFormat format_of_driver(std::string_view driver) {
    constexpr std::array<std::pair<std::string_view, DiskFormat>, 8> kDrivers = {{{"raw", DiskFormat::raw},
                                                                                  {"qcow", DiskFormat::qcow},
                                                                                  {"qcow2", DiskFormat::qcow2},
                                                                                  {"qed", DiskFormat::qed},
                                                                                  {"vpc", DiskFormat::vhd},
                                                                                  {"vmdk", DiskFormat::vmdk},
                                                                                  {"vdi", DiskFormat::vdi},
                                                                                  {"vhdx", DiskFormat::vhdx}}};
    for (const auto& [name, format] : kDrivers)
        if (name == driver)
            return format;
    throw error(ErrorKind::hypervisor, "the format {} of what it is based on is not known", quote(driver));
}

std::optional<DiskFormat> backing_format(const Header& header, std::uint32_t version) {
    constexpr std::uint32_t kBackingFormat = 0xe2792aca, kEnd = 0;
    constexpr std::uint64_t kVersion2Size = 72, kHeaderLength = 100, kDescriptorSize = 8;
    for (auto at = version == 2 ? kVersion2Size : header.u32(kHeaderLength);;) {
        const auto type = header.u32(at);
        const std::uint64_t size = header.u32(at + 4);
        if (type == kEnd)
            return std::nullopt;
        if (type == kBackingFormat)
            return format_of_driver(header.bytes(at + kDescriptorSize, size));
        at += kDescriptorSize + (size + 7) / 8 * 8;
    }
}

std::optional<ImageBase> base_of_qcow(std::string_view head) {
    constexpr std::uint64_t kVersion = 4, kBackingOffset = 8, kBackingSize = 16, kIncompatible = 72;
    constexpr std::uint64_t kExternalData = 1 << 2;
    const Header header(head, Order::big);
    if (header.bytes(0, 4) != std::string_view("QFI\xfb"))
        return std::nullopt;  // QEMU says it better
    const auto version = header.u32(kVersion);
    if (version >= 3 && (header.u64(kIncompatible) & kExternalData))
        throw error(ErrorKind::hypervisor, "its data is in another file, which is not supported");
    const auto offset = header.u64(kBackingOffset);
    if (offset == 0)
        return std::nullopt;
    ImageBase base{std::string(header.bytes(offset, header.u32(kBackingSize))), std::nullopt};
    if (version >= 2)
        base.format = backing_format(header, version);
    return base;
}

std::optional<ImageBase> base_of_qed(std::string_view head) {
    constexpr std::uint64_t kFeatures = 16, kNameOffset = 56, kNameSize = 60;
    constexpr std::uint64_t kHasBase = 1 << 0, kBaseIsRaw = 1 << 2;
    const Header header(head, Order::little);
    if (header.bytes(0, 4) != std::string_view("QED\0", 4))
        return std::nullopt;
    const auto features = header.u64(kFeatures);
    if (!(features & kHasBase))
        return std::nullopt;
    return ImageBase{std::string(header.bytes(header.u32(kNameOffset), header.u32(kNameSize))),
                     features & kBaseIsRaw ? std::optional(DiskFormat::raw) : std::nullopt};
}

}  // namespace

std::optional<ImageBase> base_of_image(DiskFormat format, std::string_view head) {
    switch (format) {
        case DiskFormat::qcow:
        case DiskFormat::qcow2:
            return base_of_qcow(head);
        case DiskFormat::qed:
            return base_of_qed(head);
        case DiskFormat::vmdk:
            if (head.starts_with("# Disk DescriptorFile"))
                throw error(ErrorKind::hypervisor,
                            "its data is in other files, which is not supported "
                            "(qemu-img convert -O qcow2 makes one file of them)");
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

}  // namespace vprov::hypervisor
