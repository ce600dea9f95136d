#include <gtest/gtest.h>

#include "base/error.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

std::string error_of(const Guest& guest) {
    try {
        write_xl_cfg(guest);
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::recipe);
        return e.message();
    }
    return "no error";
}

Guest named(std::string name) {
    Guest guest;
    guest.name = std::move(name);
    return guest;
}

TEST(WriteXlCfg, OneKeyALine) {
    Guest guest = named("debian1");
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    guest.type = GuestType::hvm;
    guest.kernel = "/k";
    guest.ramdisk = "/i";
    guest.cmdline = "root=\"x\" ro";
    guest.memory_mib = 512;
    guest.maxmem_mib = 1024;
    guest.vcpus = 2;
    guest.maxvcpus = 4;
    guest.disks = {{"/srv/a,b.img", DiskFormat::raw, "xvda1", true, false},
                   {"/srv/c.qcow2", DiskFormat::qcow2, "xvda2", false, false},
                   {"/srv/d.iso", DiskFormat::raw, "hdc", false, true},
                   {"", DiskFormat::empty, "hdd", false, true}};
    guest.interfaces = {{"aa:00:00:12:23:34", "bridge0", "", {}}, {"", "", "e1000", {{"mtu", "9000"}}}, {}};
    guest.on_poweroff = LifecycleAction::preserve;
    guest.on_reboot = LifecycleAction::rename_restart;
    guest.on_crash = LifecycleAction::coredump_destroy;
    guest.boot = "cd";
    guest.vnc = true;
    guest.vnclisten = "127.0.0.1";
    const auto text = write_xl_cfg(guest);
    EXPECT_EQ(text, R"(name = "debian1"
uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab"
type = "hvm"
kernel = "/k"
ramdisk = "/i"
cmdline = 'root="x" ro'
boot = "cd"
memory = 512
maxmem = 1024
vcpus = 2
maxvcpus = 4
disk = [
    "format=raw,vdev=xvda1,access=rw,target=/srv/a,b.img",
    "format=qcow2,vdev=xvda2,access=ro,target=/srv/c.qcow2",
    "format=raw,vdev=hdc,access=ro,devtype=cdrom,target=/srv/d.iso",
    "format=empty,vdev=hdd,access=ro,devtype=cdrom",
]
vif = [
    "mac=aa:00:00:12:23:34,bridge=bridge0",
    "model=e1000,mtu=9000",
    "",
]
vnc = 1
vnclisten = "127.0.0.1"
sdl = 0
on_poweroff = "preserve"
on_reboot = "rename-restart"
on_crash = "coredump-destroy"
)");
    EXPECT_EQ(read_xl_cfg(text, "x").guest, guest);
}

TEST(WriteXlCfg, RefusesWhatTheGrammarCannotHold) {
    EXPECT_EQ(error_of(named("a\"b")),
              "cannot write the name 'a\"b' to the domain configuration: letters, digits and . _ + - "
              "only, at most 63, a letter or digit first");
    EXPECT_EQ(error_of(named("a\nb")),
              "cannot write the name 'a\\nb' to the domain configuration: letters, digits and . _ + - "
              "only, at most 63, a letter or digit first");
    Guest guest = named("a");
    guest.cmdline = "a='b' c=\"d\"";
    EXPECT_EQ(error_of(guest),
              "cannot write cmdline 'a='b' c=\"d\"' to the domain configuration: it has quotes of both kinds");
    guest.cmdline = "a\nb";
    EXPECT_EQ(error_of(guest), "cannot write cmdline 'a\\nb' to the domain configuration: it has a control character");
    guest = named("a");
    guest.interfaces = {{"", "br,0", "", {}}};
    EXPECT_EQ(error_of(guest),
              "cannot write the vif's bridge 'br,0' to the domain configuration: it has a comma, or blanks "
              "around it");
    guest.interfaces.clear();
    guest.disks = {{"/a", DiskFormat::raw, "xvda,x", true, false}};
    EXPECT_EQ(error_of(guest),
              "cannot write the guest device 'xvda,x' to the domain configuration: it must be lower-case "
              "letters and digits, like xvda1");
    guest.disks = {{"", DiskFormat::raw, "xvda", true, false}};
    EXPECT_EQ(error_of(guest), "cannot write the disk 'xvda' to the domain configuration: it names no file or device");
    guest.disks = {{"/a,", DiskFormat::raw, "xvda", true, false}};
    EXPECT_EQ(error_of(guest), "cannot write the disk file '/a,' to the domain configuration: it ends with a comma");
}

TEST(WriteXlCfg, XmsSpellingHasNoWordsForAFileWithACommaOrAnEqualsSign) {
    for (const auto* target : {"/a,b", "/a=b"}) {
        Guest guest = named("a");
        guest.disks = {{target, DiskFormat::qcow2, "xvda", true, false}};
        const auto text = write_xl_cfg(guest, Dialect::xm);
        EXPECT_NE(text.find(fmt::format("\"format=qcow2,vdev=xvda,access=rw,target={}\"", target)), std::string::npos);
        EXPECT_EQ(read_xl_cfg(text, "f").guest, guest);
    }
}

TEST(WriteXlCfg, BackslashesComeBack) {
    Guest guest = named("a");
    guest.kernel = R"(/boot/a\tb\\)";
    EXPECT_EQ(read_xl_cfg(write_xl_cfg(guest), "x").guest, guest);
}

TEST(GuestName, LettersDigitsAndFewMarks) {
    EXPECT_TRUE(is_valid_guest_name("debian1"));
    EXPECT_TRUE(is_valid_guest_name("0.web_1+2-x"));
    EXPECT_TRUE(is_valid_guest_name(std::string(63, 'a')));
    for (const auto* bad : {"", ".", "-a", "a b", "a/b", "a'b", "a\nb", "\xc3\xa4", "a,b"})
        EXPECT_FALSE(is_valid_guest_name(bad)) << bad;
    EXPECT_FALSE(is_valid_guest_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace vprov::hypervisor
