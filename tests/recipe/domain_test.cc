#include <gtest/gtest.h>

#include "recipe/mistakes.h"
#include "recipe/recipe.h"

namespace vprov::recipe {
namespace {

Recipe described(const std::string& more) {
    return parse("name = \"g1\"\nsystem = { distribution = \"none\" }\n" + more, "g1.toml");
}

TEST(Domain, EverythingThatItCanSay) {
    const auto recipe = described(R"([[network]]
mac = "auto"
type = "ioemu"
model = "e1000"
ip = "192.0.2.4"
rate = "10Mb/s"
script = "vif-route"
vifname = "web0"
[domain]
type = "hvm"
uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab"
vcpus = 2
maxvcpus = 4
root = "/dev/hda1"
extra = ""
bootloader = "pygrub"
bootloader_args = ["-q"]
firmware = "uefi"
boot = "dc"
cdrom = ["/srv/a.iso", ""]
sdl = true
usb_tablet = true
vga = "cirrus"
videoram = 16
serial = "pty"
libvirt = "kvm"
xl = { nestedhvm = true, cpu_weight = 512, pci = ["01:00.0"], altp2m = "mixed" }
[domain.vnc]
listen = "::1"
display = 3
keymap = "de"
password = { file = "vnc.pw" }
[[domain.disk]]
path = "win.qcow2"
guest = "hda"
format = "qcow2"
readonly = true
backend = "qdisk"
discard = false
[[domain.disk]]
cdrom = true
)");
    const auto& network = recipe.networks.at(0);
    EXPECT_EQ(network.mac, "auto");
    EXPECT_EQ(network.type, hypervisor::VifType::ioemu);
    EXPECT_EQ(network.model, "e1000");
    EXPECT_EQ(network.ip, "192.0.2.4");
    EXPECT_EQ(network.rate, "10Mb/s");
    EXPECT_EQ(network.script, "vif-route");
    EXPECT_EQ(network.vifname, "web0");
    const auto& domain = recipe.domain;
    EXPECT_EQ(domain.uuid, "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab");
    EXPECT_EQ(domain.maxvcpus, 4U);
    EXPECT_EQ(domain.root, "/dev/hda1");
    EXPECT_EQ(domain.extra, "");
    EXPECT_EQ(domain.bootloader, "pygrub");
    EXPECT_EQ(domain.bootloader_args, std::vector<std::string>{"-q"});
    EXPECT_EQ(domain.firmware, hypervisor::Firmware::uefi);
    EXPECT_EQ(domain.boot, "dc");
    EXPECT_EQ(domain.cdrom, (std::vector<std::string>{"/srv/a.iso", ""}));
    EXPECT_TRUE(domain.sdl && domain.usb_tablet && domain.vnc.enabled);
    EXPECT_EQ(domain.vga, hypervisor::Screen::cirrus);
    EXPECT_EQ(domain.videoram, 16U);
    EXPECT_EQ(domain.serial, std::vector<std::string>{"pty"});
    EXPECT_EQ(domain.libvirt, Libvirt::kvm);
    const std::map<std::string, hypervisor::GuestOption> xl = {
        {"nestedhvm", "1"}, {"cpu_weight", "512"}, {"pci", std::vector<std::string>{"01:00.0"}}, {"altp2m", "mixed"}};
    EXPECT_EQ(domain.xl, xl);
    EXPECT_EQ(domain.vnc.listen, "::1");
    EXPECT_EQ(domain.vnc.display, 3U);
    EXPECT_EQ(domain.vnc.keymap, "de");
    EXPECT_EQ(domain.vnc.password, (ScreenPassword{ScreenPassword::Source::file, "vnc.pw"}));
    ASSERT_EQ(domain.disks.size(), 2U);
    EXPECT_EQ(domain.disks[0].path, "win.qcow2");
    EXPECT_EQ(domain.disks[0].guest, "hda");
    EXPECT_EQ(domain.disks[0].format, hypervisor::DiskFormat::qcow2);
    EXPECT_EQ(domain.disks[0].backend, hypervisor::DiskBackend::qdisk);
    EXPECT_EQ(domain.disks[0].discard, false);
    EXPECT_TRUE(domain.disks[0].readonly);
    EXPECT_TRUE(domain.disks[1].cdrom);
    EXPECT_FALSE(domain.disks[1].path);
}

TEST(Domain, WordsInPlaceOfTables) {
    EXPECT_TRUE(described("domain = { type = \"hvm\", vnc = true }\n").domain.vnc.enabled);
    EXPECT_FALSE(described("domain = { type = \"hvm\", vnc = false }\n").domain.vnc.enabled);
    EXPECT_FALSE(described("domain = { type = \"hvm\", vnc = { enabled = false } }\n").domain.vnc.enabled);
    EXPECT_EQ(described("domain = { type = \"hvm\", libvirt = true }\n").domain.libvirt, Libvirt::xen);
    EXPECT_EQ(described("domain = { type = \"hvm\", cdrom = \"/a\" }\n").domain.cdrom, std::vector<std::string>{"/a"});
    EXPECT_EQ(described("domain = { type = \"pv\", bootloader = \"pygrub\", firmware = \"/srv/grub\" }\n")
                  .domain.firmware_file,
              "/srv/grub");
}

std::string mistakes_in(const std::string& more) {
    try {
        described(more);
    } catch (const Error& e) {
        return e.message();
    }
    return "none";
}

TEST(Domain, Mistakes) {
    EXPECT_EQ(
        mistakes_in("[domain]\ntype = \"hvm\"\nboot = \"dd\"\nvga = \"vga\"\nvnc = 5\nuuid = \"1\"\nvideoram = 0\n"),
        "g1.toml:5:8: cannot use 'dd' as [domain] boot: it has 'd' twice\n"
        "g1.toml:6:7: cannot use 'vga' as [domain] vga: none, stdvga, cirrus or qxl is wanted\n"
        "g1.toml:7:7: cannot use '5' as [domain] vnc: true, false or a table is wanted, as in { display = 1 }\n"
        "g1.toml:8:8: cannot use '1' as [domain] uuid: 8-4-4-4-12 hexadecimal digits are wanted\n"
        "g1.toml:9:12: cannot use '0' as [domain] videoram: 1 to 4096 is wanted, in MiB");
    EXPECT_EQ(mistakes_in("[domain]\ntype = \"hvm\"\nvnc = { password = \"geheim\" }\n"),
              "g1.toml:5:20: cannot use a password in clear as [domain.vnc] password: give { random = true }, { file = "
              "\"FILE\" } or { env = \"VARIABLE\" }");
    EXPECT_EQ(mistakes_in("[domain]\ntype = \"hvm\"\n[domain.xl]\nmemory = 5\ncolour = 1\npci = [[\"a\"]]\n"),
              "g1.toml:6:1: cannot use key 'memory' in [domain.xl]: the recipe has keys of its own for that\n"
              "g1.toml:7:1: cannot use key 'colour' in [domain.xl]: xl.cfg(5) has none of that name\n"
              "g1.toml:8:7: cannot use a list as [domain.xl] pci: a string is wanted, in double quotes");
    EXPECT_EQ(mistakes_in("[[domain.disk]]\nreadonly = true\n[domain]\ntype = \"hvm\"\n").substr(0, 60),
              "g1.toml:3:1: cannot use [[domain.disk]]: it has no path");
}

TEST(Domain, InARecipeThatInstallsNothing) {
    EXPECT_EQ(
        mistakes_in("[identity]\nhostname = \"a\"\ntimezone = \"UTC\"\n[[disk]]\nsize = \"1G\"\nfilesystem = \"ext4\"\n"
                    "mount = \"/\"\n[domain]\ntype = \"hvm\"\n"),
        "g1.toml:5:1: cannot use [identity] timezone: with [system] distribution \"none\" nothing is installed\n"
        "g1.toml:6:1: cannot use [[disk]]: with [system] distribution \"none\" nothing is installed");
    EXPECT_EQ(
        mistakes_in("[domain]\ntype = \"pv\"\n"),
        "g1.toml:3:1: cannot use [domain]: without an installed kernel its type is \"hvm\", or [system.kernel] has a "
        "path");
    EXPECT_EQ(mistakes_after_good("[[network]]\nmac = \"auto\"\n"),
              "g1.toml:7:7: cannot use 'auto' as [[network]] mac: a guest that is installed knows its interfaces by "
              "their MAC "
              "addresses");
}

}  // namespace
}  // namespace vprov::recipe
