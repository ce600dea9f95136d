#include "hypervisor/launch/image_chain.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::hypervisor {
namespace {

std::string big(std::uint64_t value, int size) {
    std::string out;
    for (int i = size - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
    return out;
}
std::string little(std::uint64_t value, int size) {
    const auto swapped = big(value, size);
    return {swapped.rbegin(), swapped.rend()};
}

void put(std::string& at, std::size_t offset, std::string_view bytes) {
    if (at.size() < offset + bytes.size())
        at.resize(offset + bytes.size());
    at.replace(offset, bytes.size(), bytes);
}

// An extension of a header, padded to 8.
std::string extension(std::uint32_t type, std::string data) {
    const auto size = data.size();
    data.resize((size + 7) / 8 * 8);
    return big(type, 4) + big(size, 4) + data;
}

std::string qcow2(unsigned version, std::string_view extensions, std::string_view base) {
    std::string head = "QFI\xfb" + big(version, 4);
    head.resize(version == 2 ? 72 : 104);
    if (version > 2)
        put(head, 100, big(104, 4));
    head += extensions;
    if (!base.empty()) {
        put(head, 8, big(head.size(), 8));
        put(head, 16, big(base.size(), 4));
        head += base;
    }
    return head + std::string(64, '\0');
}

constexpr std::uint32_t kBackingFormat = 0xe2792aca, kFeatureNames = 0x6803f857;

std::string error_of(DiskFormat format, std::string_view head) {
    try {
        base_of_image(format, head);
    } catch (const Error& e) {
        return e.message();
    }
    return "no error";
}

TEST(ImageChain, WhatStandsAlone) {
    EXPECT_FALSE(base_of_image(DiskFormat::raw, qcow2(3, "", "/base")));  // a raw disk may hold what it likes
    EXPECT_FALSE(base_of_image(DiskFormat::qcow2, qcow2(3, extension(0, ""), "")));
    EXPECT_FALSE(base_of_image(DiskFormat::qcow2, "something else"));
    EXPECT_FALSE(base_of_image(DiskFormat::vmdk, "KDMV"));
}

TEST(ImageChain, QcowOfEveryVersion) {
    const auto format = extension(kFeatureNames, "0123456789") + extension(kBackingFormat, "raw") + extension(0, "");
    for (const unsigned version : {2U, 3U}) {
        const auto base = base_of_image(DiskFormat::qcow2, qcow2(version, format, "../base.img"));
        ASSERT_TRUE(base);
        EXPECT_EQ(base->file, "../base.img");
        EXPECT_EQ(base->format, DiskFormat::raw);
    }
    const auto silent = base_of_image(DiskFormat::qcow2, qcow2(3, extension(0, ""), "/b"));
    ASSERT_TRUE(silent);
    EXPECT_EQ(silent->format, std::nullopt);
    auto first = "QFI\xfb" + big(1, 4) + big(48, 8) + big(2, 4);
    put(first, 48, "/b");
    const auto base = base_of_image(DiskFormat::qcow, first);
    ASSERT_TRUE(base);
    EXPECT_EQ(base->file, "/b");
    EXPECT_EQ(base->format, std::nullopt);
}

TEST(ImageChain, Qed) {
    std::string head("QED\0", 4);
    put(head, 16, little(1 | 4, 8));
    put(head, 56, little(64, 4) + little(5, 4) + "/base");
    const auto base = base_of_image(DiskFormat::qed, head);
    ASSERT_TRUE(base);
    EXPECT_EQ(base->file, "/base");
    EXPECT_EQ(base->format, DiskFormat::raw);
    put(head, 16, little(0, 8));
    EXPECT_FALSE(base_of_image(DiskFormat::qed, head));
}

TEST(ImageChain, WhatIsRefused) {
    const auto whole = qcow2(3, extension(kBackingFormat, "raw") + extension(0, ""), "/base");
    for (const std::size_t size : {std::size_t{3}, std::size_t{20}, std::size_t{106}})
        EXPECT_EQ(error_of(DiskFormat::qcow2, whole.substr(0, size)),
                  "its header is cut off, or points beyond its first 64 KiB");
    auto far = whole;
    put(far, 8, big(~std::uint64_t{0}, 8));
    EXPECT_EQ(error_of(DiskFormat::qcow2, far), "its header is cut off, or points beyond its first 64 KiB");
    EXPECT_EQ(error_of(DiskFormat::qcow2, qcow2(3, extension(kBackingFormat, "nbd") + extension(0, ""), "/base")),
              "the format 'nbd' of what it is based on is not known");
    auto external = whole;
    put(external, 72, big(4, 8));
    EXPECT_EQ(error_of(DiskFormat::qcow2, external), "its data is in another file, which is not supported");
    EXPECT_EQ(error_of(DiskFormat::vmdk, "# Disk DescriptorFile\n"),
              "its data is in other files, which is not supported (qemu-img convert -O qcow2 makes one file of them)");
}

}  // namespace
}  // namespace vprov::hypervisor
