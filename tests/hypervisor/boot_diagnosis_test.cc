#include "hypervisor/engine/boot_diagnosis.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vprov::hypervisor {
namespace {

std::string cause_of(std::string_view console, bool is_final) {
    const auto failure = diagnose_boot(console);
    if (!failure)
        return "none";
    EXPECT_EQ(failure->is_final, is_final) << console;
    return failure->cause;
}

TEST(DiagnoseBoot, RootDeviceThatDoesNotExist) {
    EXPECT_EQ(
        cause_of(
            "Begin: Waiting for root file system ... done.\n"
            "Gave up waiting for root file system device.  Common problems:\n"
            " - Boot args (cat /proc/cmdline)\n"
            "ALERT!  UUID=0d3e2c1b-0000-4000-8000-000000000001 does not exist.  Dropping to a shell!\n(initramfs) ",
            true),
        "the root device UUID=0d3e2c1b-0000-4000-8000-000000000001 does not exist in the guest; its initrd may lack "
        "the "
        "driver (virtio_blk), or root= may name a disk the domain does not have");
    EXPECT_EQ(cause_of("[    1.2] virtio_blk virtio1: [vda] 4194304 512-byte logical blocks\n"
                       "ALERT!  /dev/hda1 does not exist.  Dropping to a shell!\n",
                       true),
              "the root device /dev/hda1 does not exist in the guest; compare root= with the domain's disks");
    EXPECT_EQ(cause_of("Gave up waiting for root file system device.\n", false),
              "the initrd waited for the root device in vain; compare root= with the domain's disks");
}

TEST(BootDiagnosis, ASmallInitrdSaysItselfWhyItGivesUp) {
    constexpr auto kPanic = "[   31.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n";
    EXPECT_EQ(cause_of(std::string("vprov-init: cannot find the root device UUID=1-2 after 30 s; there is vda, vdb\n") +
                           kPanic,
                       true),
              "the small initrd found no root device UUID=1-2 after 30 s; there is vda, vdb; compare root= with the "
              "domain's disks");
    EXPECT_EQ(
        cause_of(std::string("vprov-init: cannot mount the root device /dev/vda (ext4): error 22\n") + kPanic, true),
        "the small initrd cannot mount the root device /dev/vda (ext4): error 22");
    EXPECT_EQ(cause_of(std::string("vprov-init: cannot start /sbin/init of the root device: error 2\n") + kPanic, true),
              "the small initrd cannot start /sbin/init of the root device: error 2");
}

TEST(DiagnoseBoot, StoppedForLackOfRoom) {
    const auto stopped = fmt::format(
        "[    3.1] systemd[1]: hello\n[web1 {} (No space left on device); when there is: ...]\n", kWaitsForRoom);
    EXPECT_EQ(cause_of(stopped, true), fmt::format("it {}", kWaitsForRoom));
    EXPECT_FALSE(diagnose_boot(stopped + fmt::format("[web1 {}]\n", kHasRoom)));
}

TEST(DiagnoseBoot, KernelPanics) {
    EXPECT_EQ(
        cause_of(
            "[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n[ 1.0] CPU: 0\n",
            true),
        "the kernel found no root file system and had no initrd to help (VFS: Unable to mount root fs on "
        "unknown-block(0,0)); "
        "give ramdisk=, and a root= that names a disk of the domain");
    EXPECT_EQ(cause_of("[ 1.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n", true),
              "the first process of the guest could not go on: Attempted to kill init! exitcode=0x00000100");
    EXPECT_EQ(
        cause_of("[ 1.0] Kernel panic - not syncing: No working init found.  Try passing init= option to kernel.\n",
                 true),
        "the first process of the guest could not go on: No working init found.  Try passing init= option to kernel.");
    EXPECT_EQ(cause_of("Kernel panic - not syncing: System is deadlocked on memory\n", true),
              "the guest has too little memory: System is deadlocked on memory");
    EXPECT_EQ(cause_of("Kernel panic - not syncing: Fatal exception\n", true), "the kernel panicked: Fatal exception");
}

TEST(DiagnoseBoot, OutOfMemory) {
    EXPECT_EQ(cause_of("[ 9.1] Out of memory: Killed process 212 (systemd-udevd) total-vm:22000kB\n", false),
              "the guest has too little memory: the kernel killed process 212 (systemd-udevd) total-vm:22000kB");
}

TEST(DiagnoseBoot, EmergencyMode) {
    EXPECT_EQ(cause_of("[DEPEND] Dependency failed for srv.mount - /srv.\nYou are in emergency mode. After logging in, "
                       "type \"journalctl\"\n",
                       true),
              "the guest went into emergency mode: dependency failed for srv.mount - /srv.");
    EXPECT_EQ(cause_of("Cannot open access to console, the root account is locked.\n", true),
              "the guest went into emergency mode; see journalctl -xb there");
}

TEST(DiagnoseBoot, NothingToBoot) {
    EXPECT_EQ(cause_of("Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nNo bootable device.\n", true),
              "the disk has no boot loader: SeaBIOS found nothing to boot");
    EXPECT_EQ(cause_of("mdadm: error\n(initramfs) ", true), "the initrd stopped with a shell");
}

TEST(DiagnoseBoot, AHealthyBootHasNoCause) {
    EXPECT_EQ(cause_of("[    0.000000] Linux version 6.1.0\n[  OK  ] Reached target multi-user.target.\n", false),
              "none");
    EXPECT_EQ(cause_of("", false), "none");
}

TEST(LoginPrompt, IsTheLastLine) {
    EXPECT_TRUE(is_login_prompt("debian1 login: "));
    EXPECT_TRUE(is_login_prompt("debian1 login:"));
    EXPECT_TRUE(is_login_prompt("web.example.org login: "));
    EXPECT_FALSE(is_login_prompt("login: "));
    EXPECT_FALSE(is_login_prompt(" login: "));
    EXPECT_FALSE(is_login_prompt("  login: "));
    EXPECT_FALSE(is_login_prompt("debian1 login: root"));
    EXPECT_FALSE(is_login_prompt("debian1 login:  "));
    EXPECT_FALSE(is_login_prompt("Last login: Sat Nov 21"));
    EXPECT_FALSE(is_login_prompt(""));
}

TEST(PlainConsoleText, WithoutEscapes) {
    EXPECT_EQ(plain_console_text("[\x1b[0;32m  OK  \x1b[0m] Started\r\n"), "[  OK  ] Started\n");
    EXPECT_EQ(plain_console_text("\x1b"
                                 "c\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\n"),
              "SeaBIOS\n");
    EXPECT_EQ(plain_console_text("\x1b]0;title\aab\x1b]0;t\x1b\\c\x1b(Bd"), "abcd");
    EXPECT_EQ(plain_console_text("a\x1b[12"), "a");
    EXPECT_EQ(plain_console_text("a\x1b"), "a");
    EXPECT_EQ(plain_console_text("gr\xc3\xb6\xc3\x9f"
                                 "er\b\x7f\t."),
              "gr\xc3\xb6\xc3\x9f"
              "er\t.");
}

}  // namespace
}  // namespace vprov::hypervisor
