#include "hypervisor/launch/uefi_firmware.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "hypervisor/launch/preflight.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace {

class Uefi : public testing::Test {
  protected:
    os::TempDir folder_{testing::TempDir(), "uefi-test-"};
    void add(const std::string& name, const std::string& content = "x") {
        os::write_file(folder_.path() / name, content);
    }
};

TEST_F(Uefi, IsThePairOfFourMegabytesWhereThereIsOne) {
    EXPECT_FALSE(find_uefi_firmware(folder_.path()));
    add("OVMF_CODE.fd");
    EXPECT_FALSE(find_uefi_firmware(folder_.path()));
    add("OVMF_VARS.fd");
    EXPECT_EQ(find_uefi_firmware(folder_.path())->code, folder_.path() / "OVMF_CODE.fd");
    add("OVMF_CODE_4M.fd");
    add("OVMF_VARS_4M.fd");
    EXPECT_EQ(find_uefi_firmware(folder_.path())->code, folder_.path() / "OVMF_CODE_4M.fd");
    EXPECT_EQ(find_uefi_firmware(folder_.path())->variables, folder_.path() / "OVMF_VARS_4M.fd");
}

TEST_F(Uefi, VariablesOutlastARestart) {
    add("OVMF_CODE.fd");
    add("OVMF_VARS.fd", "fresh");
    std::filesystem::permissions(folder_.path() / "OVMF_VARS.fd", std::filesystem::perms(0444));
    const auto own = own_variables(*find_uefi_firmware(folder_.path()), folder_.path());
    EXPECT_EQ(os::read_file(own), "fresh");
    struct stat status {};
    ASSERT_EQ(::stat(own.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    os::write_file(own, "written by the guest");
    EXPECT_EQ(os::read_file(own_variables(*find_uefi_firmware(folder_.path()), folder_.path())),
              "written by the guest");
}

TEST_F(Uefi, AGrubForXenIsNotStarted) {
    Guest guest;
    guest.name = "a";
    guest.kernel = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin";
    try {
        prepare_guest(guest, folder_.path());
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(),
                  "cannot start 'a': its kernel '/usr/lib/grub-xen/grub-i386-xen_pvh.bin' is GRUB for Xen, which runs "
                  "on Xen only");
    }
}

}  // namespace
}  // namespace vprov::hypervisor
