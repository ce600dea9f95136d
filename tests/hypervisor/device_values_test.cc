// What is asked for, as numbers and names. No domain runs.
#include <gtest/gtest.h>

#include "base/error.h"
#include "hypervisor/devices/disks.h"
#include "hypervisor/devices/memory.h"

namespace vprov::hypervisor {
namespace {

TEST(DeviceValues, MemoryAsXlReadsIt) {
    EXPECT_EQ(parse_memory_mib("512"), 512U);
    EXPECT_EQ(parse_memory_mib("512m"), 512U);
    EXPECT_EQ(parse_memory_mib("2G"), 2048U);
    EXPECT_EQ(parse_memory_mib("1t"), 1U << 20);
    EXPECT_EQ(parse_memory_mib("1048576k"), 1024U);
    EXPECT_EQ(parse_memory_mib("1048577b"), 1U);
    for (const auto* bad : {"", "m", "-1", "1x", "1mb", "1 m", "99999999999999999999", "99999999999t"})
        EXPECT_EQ(parse_memory_mib(bad), std::nullopt) << bad;
}

// The numbers of xen-vbd-interface(7).
TEST(DeviceValues, NumbersOfDisks) {
    EXPECT_EQ(vdev_number("xvda"), 51712U);
    EXPECT_EQ(vdev_number("xvda1"), 51713U);
    EXPECT_EQ(vdev_number("xvdp15"), 51967U);
    EXPECT_EQ(vdev_number("xvdq"), (1U << 28) + (16U << 8));
    EXPECT_EQ(vdev_number("hda"), 768U);
    EXPECT_EQ(vdev_number("hdb2"), 834U);
    EXPECT_EQ(vdev_number("hdc"), 5632U);
    EXPECT_EQ(vdev_number("sdb"), 2064U);
    EXPECT_THROW(vdev_number("vda"), Error);
}

}  // namespace
}  // namespace vprov::hypervisor
