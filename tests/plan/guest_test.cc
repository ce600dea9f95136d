#include <gtest/gtest.h>

#include "facts.h"

namespace vprov::plan {
namespace {
using namespace hypervisor;

TEST(GuestOf, IsTheDomainOfTheRecipe) {
    const auto plan = plan_of(
        "[[disk]]\nsize=\"64M\"\nfilesystem=\"swap\"\nguest=\"xvdb1\"\n"
        "[[network]]\nbridge=\"br0\"\nmac=\"aa:00:00:12:23:34\"\n"
        "[domain]\ntype=\"pv\"\nmemory=\"1G\"\nmaxmem=\"2G\"\nvcpus=4\n"
        "on_poweroff=\"preserve\"\non_reboot=\"rename-restart\"\non_crash=\"coredump-restart\"\n");
    Guest expected;
    expected.name = "g1";
    expected.uuid = plan.guest_uuid;
    expected.type = GuestType::pv;
    expected.kernel = "/out/g1/vmlinuz";
    expected.ramdisk = "/out/g1/initrd.img";
    expected.cmdline = plan.kernel_cmdline;
    expected.memory_mib = 1024;
    expected.maxmem_mib = 2048;
    expected.vcpus = 4;
    expected.disks = {{"/out/g1/root.img", DiskFormat::raw, "xvda1", true, false},
                      {"/out/g1/swap.img", DiskFormat::raw, "xvdb1", true, false}};
    expected.interfaces = {{"aa:00:00:12:23:34", "br0", "", {}}};
    expected.on_poweroff = LifecycleAction::preserve;
    expected.on_reboot = LifecycleAction::rename_restart;
    expected.on_crash = LifecycleAction::coredump_restart;
    EXPECT_EQ(guest_of(plan), expected);
}

TEST(GuestOf, DefaultsAreThoseOfTheRecipe) {
    const auto guest = guest_of(plan_of(""));
    EXPECT_EQ(guest.type, GuestType::pvh);
    EXPECT_EQ(guest.memory_mib, 512U);
    EXPECT_EQ(guest.maxmem_mib, 0U);
    EXPECT_EQ(guest.vcpus, 2U);
    EXPECT_TRUE(guest.interfaces.empty());
    EXPECT_EQ(guest.on_poweroff, LifecycleAction::destroy);
    EXPECT_EQ(guest.on_reboot, LifecycleAction::restart);
    EXPECT_EQ(guest.on_crash, LifecycleAction::destroy);
}

TEST(GuestOf, AKernelOfTheHostIsTakenFromWhereItIs) {
    const auto facts = plain_facts({"/r/vmlinuz", "/boot/initrd"});
    const auto guest = guest_of(plan_of("[system.kernel]\npath=\"vmlinuz\"\ninitrd=\"/boot/initrd\"\n", facts));
    EXPECT_EQ(guest.kernel, "/r/vmlinuz");
    EXPECT_EQ(guest.ramdisk, "/boot/initrd");
    const auto none = guest_of(plan_of("[system.kernel]\npackage=\"\"\n"));
    EXPECT_EQ(none.kernel, "");
    EXPECT_EQ(none.ramdisk, "");
}

}  // namespace
}  // namespace vprov::plan
