#include "hypervisor/guest/libvirt_xml.h"
#include "hypervisor/guest/device_spec.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/configuration.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

Guest debian() {
    Guest guest;
    guest.name = "debian1";
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    guest.type = GuestType::pvh;
    guest.kernel = "/srv/debian1/vmlinuz";
    guest.ramdisk = "/srv/debian1/initrd.img";
    guest.cmdline = "root=UUID=0d3e ro console=hvc0";
    guest.memory_mib = 512;
    guest.maxmem_mib = 1024;
    guest.vcpus = 2;
    guest.disks = {{"/srv/debian1/root.img", DiskFormat::raw, "xvda1", true, false},
                   {"/dev/vg/swap", DiskFormat::raw, "xvda2", true, false}};
    guest.interfaces = {{"aa:00:00:12:23:34", "bridge0", "", {}}};
    return guest;
}

Guest windows() {
    Guest guest;
    guest.name = "windows";
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ac";
    guest.type = GuestType::hvm;
    guest.boot = "dc";
    guest.memory_mib = 512;
    guest.firmware = Firmware::uefi;
    guest.disks = {{"/dev/hda3", DiskFormat::raw, "hda", true, false},
                   {"/root/win<cd>&.iso", DiskFormat::raw, "hdc", false, true},
                   {"", DiskFormat::empty, "hdd", false, true}};
    guest.interfaces = {{"", "", "e1000", {}}};
    guest.interfaces[0].type = VifType::ioemu;
    guest.interfaces[0].rate = "10Mb/s@50ms";
    guest.vnc = true;
    guest.vncdisplay = 3;
    guest.vncpasswd = "secret";
    guest.keymap = "de";
    guest.usb = true;
    guest.usbdevices = {"tablet", "host:1234:5678"};
    guest.screen = Screen::standard;
    guest.videoram_mib = 16;
    guest.serial = {"pty"};
    guest.other = {{"acpi", "1"}, {"pae", "0"}, {"localtime", "1"}, {"pci", std::vector<std::string>{"01:00.0"}}};
    return guest;
}

TEST(LibvirtXml, AParavirtualGuestUnderXen) {
    EXPECT_EQ(configuration_of(debian(), Format::libvirt_xen).text, R"(<domain type="xen">
  <name>debian1</name>
  <uuid>b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab</uuid>
  <memory unit="MiB">1024</memory>
  <currentMemory unit="MiB">512</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type arch="x86_64" machine="xenpvh">xenpvh</type>
    <kernel>/srv/debian1/vmlinuz</kernel>
    <initrd>/srv/debian1/initrd.img</initrd>
    <cmdline>root=UUID=0d3e ro console=hvc0</cmdline>
  </os>
  <clock offset="utc" />
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type="file" device="disk">
      <driver type="raw" />
      <source file="/srv/debian1/root.img" />
      <target dev="xvda1" bus="xen" />
    </disk>
    <disk type="block" device="disk">
      <driver type="raw" />
      <source dev="/dev/vg/swap" />
      <target dev="xvda2" bus="xen" />
    </disk>
    <interface type="bridge">
      <mac address="aa:00:00:12:23:34" />
      <source bridge="bridge0" />
    </interface>
    <console type="pty">
      <target type="xen" />
    </console>
  </devices>
</domain>
)");
}

TEST(LibvirtXml, TheSameGuestUnderKvm) {
    EXPECT_EQ(configuration_of(debian(), Format::libvirt_kvm).text, R"(<domain type="kvm">
  <name>debian1</name>
  <uuid>b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab</uuid>
  <memory unit="MiB">1024</memory>
  <currentMemory unit="MiB">512</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type arch="x86_64">hvm</type>
    <kernel>/srv/debian1/vmlinuz</kernel>
    <initrd>/srv/debian1/initrd.img</initrd>
    <cmdline>root=UUID=0d3e ro console=hvc0 console=ttyS0</cmdline>
  </os>
  <features>
    <acpi />
    <apic />
    <pae />
  </features>
  <cpu mode="host-passthrough" />
  <clock offset="utc" />
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="raw" />
      <source file="/srv/debian1/root.img" />
      <target dev="vda" bus="virtio" />
    </disk>
    <disk type="block" device="disk">
      <driver name="qemu" type="raw" />
      <source dev="/dev/vg/swap" />
      <target dev="vdb" bus="virtio" />
    </disk>
    <interface type="bridge">
      <mac address="aa:00:00:12:23:34" />
      <source bridge="bridge0" />
      <model type="virtio" />
    </interface>
    <serial type="pty" />
    <rng model="virtio">
      <backend model="random">/dev/urandom</backend>
    </rng>
  </devices>
</domain>
)");
}

TEST(LibvirtXml, AnUnmodifiedGuest) {
    const auto written = configuration_of(windows(), Format::libvirt_xen);
    EXPECT_EQ(written.lost,
              (std::vector<std::string>{"the USB device 'host:1234:5678' is left out", "'pci' is left out"}));
    EXPECT_EQ(written.text, R"(<domain type="xen">
  <name>windows</name>
  <uuid>b3f9a7c0-1b5e-4c8e-9d2f-0123456789ac</uuid>
  <memory unit="MiB">512</memory>
  <currentMemory unit="MiB">512</currentMemory>
  <vcpu>1</vcpu>
  <os firmware="efi">
    <type arch="x86_64" machine="xenfv">hvm</type>
    <boot dev="cdrom" />
    <boot dev="hd" />
  </os>
  <features>
    <acpi />
    <apic />
  </features>
  <clock offset="localtime" />
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type="block" device="disk">
      <driver type="raw" />
      <source dev="/dev/hda3" />
      <target dev="hda" bus="ide" />
    </disk>
    <disk type="file" device="cdrom">
      <driver type="raw" />
      <source file="/root/win&lt;cd>&amp;.iso" />
      <target dev="hdc" bus="ide" />
      <readonly />
    </disk>
    <disk type="file" device="cdrom">
      <target dev="hdd" bus="ide" />
      <readonly />
    </disk>
    <interface type="bridge">
      <source bridge="xenbr0" />
      <model type="e1000" />
      <bandwidth>
        <outbound average="1250" />
      </bandwidth>
    </interface>
    <serial type="pty" />
    <input type="tablet" bus="usb" />
    <graphics type="vnc" port="5903" autoport="no" listen="127.0.0.1" keymap="de" passwd="secret" />
    <video>
      <model type="vga" vram="16384" />
    </video>
  </devices>
</domain>
)");
}

// configuration_of() compares what it reads back with the view.
TEST(LibvirtXml, TheCorpusIsReadBack) {
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(VPROV_TEST_DATA) / "cfg")) {
        if (entry.path().extension() != ".cfg")
            continue;
        const auto guest = read_xl_cfg(os::read_file(entry.path()), "x").guest;
        for (const auto format : {Format::libvirt_xen, Format::libvirt_kvm, Format::libvirt_qemu}) {
            EXPECT_NO_THROW(configuration_of(guest, format)) << entry.path();
            ++seen;
        }
    }
    EXPECT_GE(seen, 75);
}

TEST(LibvirtXml, RatesAreInThousandsOfBytes) {
    EXPECT_EQ(kilobytes_per_second("10Mb/s@50ms"), 1250U);
    EXPECT_EQ(kilobytes_per_second("250KB/s"), 250U);
    EXPECT_EQ(kilobytes_per_second("1GB/s"), 1000000U);
    EXPECT_EQ(kilobytes_per_second("1b/s"), 1U);
    EXPECT_EQ(kilobytes_per_second("010KB/s"), 10U);
    EXPECT_EQ(kilobytes_per_second(""), 0U);
    EXPECT_EQ(kilobytes_per_second("fast"), 0U);
    EXPECT_EQ(kilobytes_per_second("9999999999B/s"), 0U);
}

std::string error_of(std::string_view text) {
    try {
        read_libvirt_xml(text, "x.xml");
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::hypervisor);
        return e.message();
    }
    return "no error";
}

TEST(LibvirtXml, PointsAtMistakes) {
    EXPECT_EQ(error_of("<domain type='xen'>\n<name>a</name>\n"),
              "x.xml:2: cannot read the domain: Start-end tags mismatch");
    EXPECT_EQ(error_of("<network/>"), "x.xml:1: cannot read the domain: there is no <domain>");
    EXPECT_EQ(error_of("<domain type='lxc'><name>a</name></domain>"),
              "x.xml:1: cannot use the domain's type 'lxc': known are xen, kvm and qemu");
    EXPECT_EQ(
        error_of("<domain type='kvm'>\n<name>a b</name></domain>"),
        "x.xml:1: cannot use the name 'a b': letters, digits and . _ + - only, at most 63, a letter or digit first");
    EXPECT_EQ(error_of("<domain type='kvm'><name>a</name></domain>"),
              "x.xml:1: cannot read the domain: it has no <memory>");
    EXPECT_EQ(error_of("<domain type='kvm'><name>a</name>\n<memory unit='MiB'>lots</memory></domain>"),
              "x.xml:2: cannot use <memory>: 'lots' MiB is no amount of memory");
}

TEST(LibvirtXml, SaysWhatItDoesNotUnderstand) {
    const auto read = read_libvirt_xml(
        "<domain type='kvm'>\n<name>a</name>\n<memory>524288</memory>\n<vcpu placement='static'>2</vcpu>\n"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>\n<features><acpi/></features>\n<devices>\n"
        "<disk type='network' device='disk'>\n<source protocol='rbd' name='a'/><target dev='vdb'/></disk>\n"
        "<interface type='direct'><source dev='eth0' mode='bridge'/></interface>\n<sound model='ich6'/>\n"
        "<graphics type='spice'/>\n</devices>\n<cputune/>\n</domain>\n",
        "x.xml");
    EXPECT_EQ(read.warnings, (std::vector<std::string>{"x.xml:8: <disk> of the type 'network' is not understood",
                                                       "x.xml:10: <interface> of the type 'direct' is not understood",
                                                       "x.xml:11: <sound> in <devices> is not understood",
                                                       "x.xml:12: <graphics> of the type 'spice' is not understood",
                                                       "x.xml:14: <cputune> is not understood"}));
    EXPECT_EQ(read.guest.memory_mib, 512U);
    EXPECT_EQ(read.guest.vcpus, 2U);
}

}  // namespace
}  // namespace vprov::hypervisor
