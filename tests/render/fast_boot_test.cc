#include "config-render/fast_boot.h"

#include <gtest/gtest.h>

#include "plan/fast_boot.h"
#include "sample_plan.h"

namespace vprov::render {
namespace {

constexpr const char* kTrigger = "/etc/systemd/system/systemd-udev-trigger.service.d/fast-boot.conf";

plan::Plan fast_plan(const std::string& suite = "bookworm") {
    auto plan = sample_plan();
    plan.recipe.system.suite = suite;
    plan.recipe.system.boot = recipe::BootSpeed::fast;
    return plan;
}

TEST(FastBootFiles, AreNoneForOtherGuestsAndOtherInits) {
    EXPECT_TRUE(fast_boot_files(sample_plan(), {"systemd"}).empty());
    EXPECT_TRUE(fast_boot_files(fast_plan(), {"sysvinit-core"}).empty());
}

TEST(FastBootFiles, MaskEachUnitAndEachGenerator) {
    const auto plan = fast_plan();
    const auto files = fast_boot_files(plan, {"systemd"});
    std::size_t masks = 0;
    for (const auto& file : files) masks += file.is_link && file.content == "/dev/null";
    EXPECT_EQ(masks, plan::units_switched_off(plan).size() + plan::generators_switched_off(plan).size());
    EXPECT_EQ(file_at(files, "/etc/systemd/system/systemd-pstore.service").content, "/dev/null");
    EXPECT_EQ(file_at(files, "/etc/systemd/system-generators/systemd-gpt-auto-generator").content, "/dev/null");
    EXPECT_EQ(files.size(), masks + 2);
}

TEST(FastBootFiles, LeaveModulesToThoseWhoNameThem) {
    EXPECT_EQ(
        file_at(fast_boot_files(fast_plan(), {"systemd"}), "/etc/modprobe.d/fast-boot.conf").content,
        "# Devices of the hypervisor's machine with nothing behind them: their modules are loaded by name only.\n"
        "blacklist ata_generic\nblacklist ata_piix\nblacklist pata_acpi\nblacklist psmouse\nblacklist serio_raw\n");
    auto plan = fast_plan();
    plan.recipe.domain.vnc.enabled = true;
    EXPECT_EQ(file_at(fast_boot_files(plan, {"systemd"}), "/etc/modprobe.d/fast-boot.conf").content, "(not there)");
}

TEST(FastBootFiles, AskUdevForFewerDevicesInWordsThatItKnows) {
    const auto text = file_at(fast_boot_files(fast_plan(), {"systemd"}), kTrigger).content;
    EXPECT_NE(text.find("\nExecStart=\nExecStart=-/bin/udevadm trigger"), std::string::npos);
    EXPECT_NE(text.find(" --sysname-match=ttyS[0-9]* "), std::string::npos);
    EXPECT_NE(text.find(" --prioritized-subsystem=block,net,input "), std::string::npos);
    EXPECT_EQ(text.find("--subsystem-nomatch=block"), std::string::npos);
    EXPECT_EQ(file_at(fast_boot_files(fast_plan("bullseye"), {"systemd"}), kTrigger).content.find("prioritized"),
              std::string::npos);
}

TEST(FastBootFiles, AreAmongTheGuests) {
    EXPECT_NE(file_at(late_guest_files(fast_plan(), {"systemd"}), kTrigger).content, "(not there)");
    EXPECT_EQ(file_at(late_guest_files(sample_plan(), {"systemd"}), kTrigger).content, "(not there)");
}

}  // namespace
}  // namespace vprov::render
