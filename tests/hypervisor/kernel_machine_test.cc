#include "hypervisor/launch/kernel_machine.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "hypervisor/launch/preflight.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace {

// A kernel with an EFI header whose PE header stands at 64.
std::string efi_kernel(const std::string& machine) {
    std::string head(64, '\0');
    head.replace(0, 2, "MZ");
    head[60] = 64;
    return head + std::string("PE\0\0", 4) + machine + std::string(100, '\0');
}

TEST(KernelMachine, IsInTheHeader) {
    EXPECT_EQ(foreign_machine(efi_kernel("\x64\xaa")), "arm64");
    EXPECT_EQ(foreign_machine(efi_kernel("\x64\x50")), "riscv64");
    EXPECT_EQ(foreign_machine(efi_kernel("\xc2\x01")), "armhf");
    EXPECT_EQ(foreign_machine(efi_kernel("\x64\x62")), "loong64");
    EXPECT_EQ(foreign_machine(efi_kernel("\x64\x86")), "") << "amd64";
    EXPECT_EQ(foreign_machine(efi_kernel("\x4c\x01")), "") << "i386";
    EXPECT_EQ(foreign_machine(std::string(56, '\0') + "ARM\x64"), "arm64");
    EXPECT_EQ(foreign_machine(std::string(56, '\0') + "RSC\x05"), "riscv64");
}

TEST(KernelMachine, WhatDoesNotSayIsTaken) {
    EXPECT_EQ(foreign_machine(""), "");
    EXPECT_EQ(foreign_machine("MZ"), "");
    auto far = efi_kernel("\x64\xaa");
    far[63] = '\x7f';
    EXPECT_EQ(foreign_machine(far), "") << "its PE header is beyond the end";
    EXPECT_EQ(foreign_machine(efi_kernel("\x64\xaa").substr(0, 68)), "") << "cut off";
}

TEST(KernelMachine, AGuestOfAnotherIsNotStarted) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    os::write_file(work.path() / "vmlinuz", efi_kernel("\x64\xaa"));
    Guest guest;
    guest.name = "arm1";
    guest.type = GuestType::pvh;
    guest.kernel = "vmlinuz";
    try {
        prepare_guest(guest, work.path());
        FAIL() << "it was taken";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot start 'arm1': its kernel '" + work.path().native() +
                                   "/vmlinuz' is for arm64, and guests run on qemu-system-x86_64");
        EXPECT_EQ(e.kind(), ErrorKind::hypervisor);
    }
}

}  // namespace
}  // namespace vprov::hypervisor
