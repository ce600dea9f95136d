#include "plan/fast_boot.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "facts.h"
#include "plan/describe.h"

namespace vprov::plan {
namespace {
using Words = std::vector<std::string>;

constexpr const char* kRoot = "[[disk]]\nsize = \"2G\"\nfilesystem = \"ext4\"\nmount = \"/\"\n";

Plan planned(const std::string& system, const std::string& more = kRoot) {
    return make_plan(recipe::parse("name = \"g1\"\n[system]\n" + system + more, "/r/g1.toml"), plain_facts(),
                     {"/out", "/cache"});
}

Plan fast(const std::string& more = {}) {
    return planned("boot = \"fast\"\n", kRoot + more);
}

std::string refusal(const std::string& system, const std::string& more = kRoot) {
    try {
        planned("boot = \"fast\"\n" + system, more);
    } catch (const Error& e) {
        return e.message();
    }
    return "none";
}

bool has(const Words& list, const std::string& word) {
    return std::ranges::find(list, word) != list.end();
}

TEST(FastBoot, IsNotWhatNobodyAskedFor) {
    const auto plan = planned("");
    EXPECT_FALSE(boots_fast(plan.recipe));
    EXPECT_EQ(units_switched_off(plan), Words{});
    EXPECT_EQ(generators_switched_off(plan), Words{});
    EXPECT_EQ(modules_left_out(plan), Words{});
    EXPECT_EQ(describe(plan).find("small initrd"), std::string::npos);
}

TEST(FastBoot, SwitchesOffWhatAGuestWithoutAScreenSeldomNeeds) {
    const auto plan = fast();
    EXPECT_EQ(
        units_switched_off(plan),
        (Words{"dev-hugepages.mount", "e2scrub_all.timer", "e2scrub_reap.service", "getty-static.service",
               "getty@tty1.service", "modprobe@drm.service", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
               "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-pstore.service", "systemd-repart.service",
               "systemd-sysusers.service", "systemd-update-utmp-runlevel.service", "systemd-update-utmp.service"}));
    EXPECT_EQ(generators_switched_off(plan),
              (Words{"systemd-cryptsetup-generator", "systemd-gpt-auto-generator", "systemd-hibernate-resume-generator",
                     "systemd-integritysetup-generator", "systemd-system-update-generator",
                     "systemd-veritysetup-generator"}));
    EXPECT_EQ(modules_left_out(plan), (Words{"ata_generic", "ata_piix", "pata_acpi", "psmouse", "serio_raw"}));
    EXPECT_EQ(guest_of(plan).cmdline, guest_of(planned("")).cmdline);
    EXPECT_EQ(plan.include, planned("").include);
}

TEST(FastBoot, LeavesWhatTheRecipeHasAUseFor) {
    for (const auto* screen : {"[domain]\nvnc = true\n", "[domain]\ntype = \"hvm\"\n", "[domain]\nsdl = true\n"}) {
        const auto plan = fast(screen);
        EXPECT_FALSE(has(units_switched_off(plan), "getty@tty1.service")) << screen;
        EXPECT_EQ(modules_left_out(plan), Words{}) << screen;
    }
    EXPECT_EQ(modules_left_out(fast("[domain]\ncdrom = [\"\"]\n")), (Words{"psmouse", "serio_raw"}));
    const auto with_lvm = planned("boot = \"fast\"\ninclude = [\"lvm2\", \"cryptsetup\"]\n");
    EXPECT_FALSE(has(units_switched_off(with_lvm), "e2scrub_reap.service"));
    EXPECT_FALSE(has(generators_switched_off(with_lvm), "systemd-cryptsetup-generator"));
}

TEST(FastBoot, IsInThePlanThatIsPrinted) {
    const auto text = describe(fast());
    EXPECT_NE(text.find("Boot\n  by             the hypervisor, fast: a small initrd\n  off            dev-hugepages"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("  generators     systemd-cryptsetup-generator"), std::string::npos) << text;
    EXPECT_NE(text.find("  not loaded     ata_generic ata_piix"), std::string::npos) << text;
}

TEST(FastBoot, IsRefusedWhereTheSmallInitrdCannotStartTheGuest) {
    const std::string begin = "/r/g1.toml: cannot boot the guest fast ([system] boot): ";
    const std::string table =
        "[[disk]]\nsize = \"2G\"\ntable = \"gpt\"\n[[disk.partition]]\nsize = \"rest\"\n"
        "filesystem = \"ext4\"\nmount = \"/\"\n";
    EXPECT_EQ(refusal("", table + "[boot]\nmethod = \"grub\"\n"),
              begin + "GRUB loads the guest's own initrd; leave [boot] method \"direct\"");
    EXPECT_EQ(refusal("", table), "none");
    EXPECT_EQ(refusal("arch = \"arm64\"\n"), begin + "the small initrd is made for amd64, and the guest is arm64");
    EXPECT_EQ(refusal("[system.kernel]\npackage = \"\"\n"),
              begin + "the small initrd takes the modules of the guest's own kernel, and the recipe gives it none");
    EXPECT_EQ(refusal("", std::string(kRoot) + "[domain]\nroot = \"/dev/mapper/vg-root\"\n"),
              begin + "the small initrd does not find '/dev/mapper/vg-root', [domain] root");
    EXPECT_EQ(refusal("", std::string(kRoot) + "[domain]\nroot = \"/dev/xvda1\"\n"), "none");
    EXPECT_EQ(refusal("", std::string(kRoot) + "[[disk]]\nsize = \"2G\"\nfilesystem = \"ext4\"\nmount = \"/usr\"\n"),
              begin + "/usr is a file system of its own, and the small initrd mounts root only");
}

}  // namespace
}  // namespace vprov::plan
