#include "import/import.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/libvirt_xml.h"
#include "os/fd.h"
#include "plan/plan.h"

namespace vprov::imports {
namespace {
namespace fs = std::filesystem;

plan::Plan planned(const std::string& recipe) {
    plan::HostFacts facts;
    facts.architecture = "amd64";
    facts.default_mirror = facts.default_security_mirror = "http://default.example.org/debian";
    facts.file_exists = [](const fs::path&) { return true; };
    plan::Options options;
    options.host_files = plan::HostFiles::not_wanted;
    return plan::make_plan(recipe::parse(recipe, "/r/recipe.toml"), facts, options);
}

TEST(Import, ADomainOfXl) {
    const auto imported = import_text(
        "name='web'\ntype='hvm'\nuuid='b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab'\nmemory=1024\nvcpus=2\nboot='dc'\n"
        "disk=['format=qcow2,vdev=hda,target=/srv/web.qcow2','vdev=hdc,cdrom']\n"
        "vif=['mac=00:16:3E:00:00:01,bridge=br0,model=e1000,rate=10Mb/s']\nvnc=1\nvncpasswd='geheim'\nusb=1\n"
        "usbdevice='tablet'\nnestedhvm=1\npci=['01:00.0']\nnics=1\n",
        "/etc/xen/web.cfg", Source::xl, "");
    EXPECT_EQ(imported.recipe, R"(name = "web"

[system]
distribution = "none"

[[network]]
mac = "00:16:3e:00:00:01"
bridge = "br0"
model = "e1000"
rate = "10Mb/s"

[domain]
type = "hvm"
uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab"
memory = "1024M"
vcpus = 2
boot = "dc"
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"
usb_tablet = true

[domain.vnc]
enabled = true
password = { random = true }

[[domain.disk]]
path = "/srv/web.qcow2"
guest = "hda"
format = "qcow2"

[[domain.disk]]
guest = "hdc"
cdrom = true

[domain.xl]
nestedhvm = "1"
pci = ["01:00.0"]
)");
    EXPECT_EQ(
        imported.lost,
        (std::vector<std::string>{
            "/etc/xen/web.cfg:15: 'nics' is not understood",
            "VNC's password: recipes hold none, and a new one is made up while building; a file with it can be given "
            "as [domain.vnc] password = { file = \"FILE\" }"}));
}

// What the tests of the reader have: the recipe's domain is the imported one, but for what is listed as lost.
TEST(Import, TheCorpusComesBack) {
    int whole = 0, seen = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(VPROV_SOURCE_DIR) / "tests/hypervisor/cfg")) {
        if (entry.path().extension() != ".cfg")
            continue;
        ++seen;
        const auto text = os::read_file(entry.path());
        const auto given = hypervisor::read_xl_cfg(text, "x");
        if (given.guest.type != hypervisor::GuestType::hvm && given.guest.kernel.empty() &&
            given.guest.bootloader.empty() && given.guest.firmware == hypervisor::Firmware::automatic)
            continue;  // xl could not start it either
        if (entry.path().stem() == "cdroms")
            continue;  // it has one drive in all spellings, and a recipe takes a device once
        const auto imported = import_text(text, entry.path(), Source::xl, "");
        if (imported.lost.size() > given.warnings.size())
            continue;
        ++whole;
        auto again = guest_of(planned(imported.recipe));
        auto expected = given.guest;
        if (expected.uuid.empty())
            again.uuid.clear();
        if (expected.vnc && expected.vnclisten.empty())
            expected.vnclisten = "127.0.0.1";
        if (!expected.vnc)
            expected.vnclisten.clear();
        expected.vncunused.reset();
        for (auto& vif : expected.interfaces)
            std::transform(vif.mac.begin(), vif.mac.end(), vif.mac.begin(),
                           [](unsigned char c) { return std::tolower(c); });
        EXPECT_EQ(write_xl_cfg(again), write_xl_cfg(expected)) << entry.path();
    }
    EXPECT_GE(seen, 30);
    EXPECT_GE(whole, 8);
}

TEST(Import, ADomainOfLibvirt) {
    const auto imported = import_text(os::read_file(fs::path(VPROV_SOURCE_DIR) / "tests/fuzz/corpus/libvirt/xen.xml"),
                                      "/x/xen.xml", Source::libvirt, "");
    EXPECT_EQ(imported.recipe, R"(name = "pv"

[system]
distribution = "none"

[system.kernel]
path = "/k"

[[network]]
mac = "auto"
bridge = "br0"
type = "vif"
ip = "10.0.0.4"
rate = "1250KB/s"
script = "vif-route"

[domain]
type = "pv"
memory = "512M"
vcpus = 1
root = "/dev/xvda1"
extra = "ro"
bootloader = "/usr/bin/pygrub"
bootloader_args = ["--offset=1", "-q"]
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"

[[domain.disk]]
path = "/dev/vg/a"
guest = "xvda1"
backend = "phy"
)");
    EXPECT_EQ(imported.lost, std::vector<std::string>{});
}

TEST(Import, TheSettingsOfXenTools) {
    const auto file = fs::path(VPROV_TEST_DATA) / "given" / "xen-tools.conf";
    const auto imported = import_text(os::read_file(file), file, Source::xen_tools, "db1");
    EXPECT_EQ(imported.recipe, R"(name = "db1"

[system]
suite = "bookworm"
arch = "amd64"
mirror = "http://mirror.example.org/debian"
include = ["openssh-server"]

[identity]
root_password = { random = true }

[[disk]]
device = "/dev/vg0/db1-disk"
size = "4G"
filesystem = "ext3"
mount = "/"
options = "noatime,errors=remount-ro"
guest = "xvda2"

[[disk]]
device = "/dev/vg0/db1-swap"
size = "512M"
filesystem = "swap"
guest = "xvda1"

[[network]]
bridge = "xendmz"
address = "192.0.2.10/27"
gateway = "192.0.2.1"
dns = ["192.0.2.1", "192.0.2.2"]

[domain]
type = "pv"
memory = "256M"
maxmem = "1024M"
vcpus = 2
)");
    EXPECT_EQ(imported.lost, (std::vector<std::string>{
                                 "'kernel = /boot/vmlinuz-`uname -r`': the outcome of a command is not known here",
                                 "'initrd = /boot/initrd.img-`uname -r`': the outcome of a command is not known here",
                                 "'boot = 1': vprov build --launch starts the guest",
                                 "'passwd = 1': nothing is asked for while building; root's password is made up",
                                 "'role = udev': [[hook]] of a recipe runs scripts in the guest"}));
}

TEST(Import, XenToolsWithoutAnything) {
    const auto imported = import_text("dhcp = 1\nnoswap = 1\n", "x.conf", Source::xen_tools, "guest");
    EXPECT_EQ(
        imported.recipe,
        "name = \"guest\"\n\n[system]\ninclude = [\"openssh-server\"]\n\n[identity]\nroot_password = { random = true "
        "}\n\n[[disk]]\nsize = \"4G\"\nfilesystem = \"ext4\"\nmount = \"/\"\nguest = \"xvda2\"\n\n[[network]]\naddress "
        "= "
        "\"dhcp\"\n\n[domain]\ntype = \"pv\"\nvcpus = 1\n");
    EXPECT_EQ(imported.lost, std::vector<std::string>{});
}

TEST(Import, TellsItsSourcesApart) {
    EXPECT_EQ(source_of("\n <domain/>"), Source::libvirt);
    EXPECT_EQ(source_of("# c\nname = 'a'\nmemory = 5\n"), Source::xl);
    EXPECT_EQ(source_of("dist = bookworm\nmemory = 256M\n"), Source::xen_tools);
    EXPECT_EQ(source_of("memory = 5\n"), Source::xl);
}

std::string error_of(std::string_view text, Source source) {
    try {
        import_text(text, "x", source, "guest");
    } catch (const Error& e) {
        return e.message();
    }
    return "no error";
}

TEST(Import, PointsAtMistakes) {
    EXPECT_EQ(error_of("dist = bookworm\nsize = big\n", Source::xen_tools),
              "x:2: cannot use 'big' as 'size': a size is wanted, as in 4G or 256M");
    EXPECT_EQ(error_of("dist\n", Source::xen_tools),
              "x:1: cannot read the settings of xen-tools: 'dist' is no 'KEY = VALUE'");
    EXPECT_EQ(error_of("ip = 192.0.2.1\nnetmask = 255.0.255.0\n", Source::xen_tools),
              "x:2: cannot use '255.0.255.0' as 'netmask': a netmask is wanted, as in 255.255.255.0");
    EXPECT_EQ(error_of("name='a'\ntype='hvm'\nvcpus=4000\n", Source::xl),
              "cannot make a recipe of 'x': a recipe cannot say all of it\n"
              "recipe:9:9: cannot use '4000' as [domain] vcpus: 1 to 128 is wanted");
}

}  // namespace
}  // namespace vprov::imports
