#include <gtest/gtest.h>

#include "base/text.h"

#include <fmt/format.h>

#include "base/error.h"
#include "hypervisor/guest/device_names.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::hypervisor {
namespace {

using Argv = std::vector<std::string>;

Guest debian1() {
    Guest guest;
    guest.name = "debian1";
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    guest.type = GuestType::pvh;
    guest.kernel = "/out/vmlinuz";
    guest.ramdisk = "/out/initrd.img";
    guest.cmdline = "root=UUID=0d3e ro console=hvc0";
    guest.memory_mib = 512;
    guest.vcpus = 2;
    guest.disks = {{"/out/root,1.img", DiskFormat::raw, "xvda1", true, false},
                   {"/dev/vg/swap", DiskFormat::raw, "xvda2", false, false}};
    guest.interfaces = {{"aa:00:00:12:23:34", "bridge0", "", {}}, {"", "", "", {}}};
    return guest;
}

TEST(QemuArgv, ParavirtualGuestUnderTcg) {
    QemuHost host;
    host.qmp_fd = 5;
    host.console_fd = 6;
    host.layers = {{}, {{"/dev/vg/swap", DiskFormat::raw, true}}};
    host.tap_fds = {7};
    EXPECT_EQ(qemu_argv(debian1(), host),
              (Argv{"qemu-system-x86_64",
                    "-name",
                    "guest=debian1,process=vprov-debian1,debug-threads=on",
                    "-uuid",
                    "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab",
                    "-machine",
                    "pc",
                    "-accel",
                    "tcg,thread=multi",
                    "-cpu",
                    "max",
                    "-m",
                    "512M",
                    "-smp",
                    "cpus=1,maxcpus=2,sockets=1,cores=2,threads=1",
                    "-nodefaults",
                    "-no-user-config",
                    "-S",
                    "-action",
                    "reboot=shutdown,shutdown=pause,panic=pause",
                    "-rtc",
                    "base=utc",
                    "-sandbox",
                    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                    "-display",
                    "none",
                    "-device",
                    "max-x86_64-cpu,id=vcpu1,socket-id=0,core-id=1,thread-id=0",
                    "-chardev",
                    "socket,id=qmp0,fd=5,server=on,wait=off",
                    "-mon",
                    "chardev=qmp0,mode=control",
                    "-chardev",
                    "socket,id=con0,fd=6,server=on,wait=off",
                    "-serial",
                    "chardev:con0",
                    "-device",
                    "pvpanic",
                    "-object",
                    "rng-random,id=rng0,filename=/dev/urandom",
                    "-device",
                    "virtio-rng-pci,rng=rng0",
                    "-device",
                    "virtio-balloon-pci,id=balloon0",
                    "-kernel",
                    "/out/vmlinuz",
                    "-initrd",
                    "/out/initrd.img",
                    "-append",
                    "root=UUID=0d3e ro console=hvc0 console=ttyS0",
                    "-blockdev",
                    "driver=raw,node-name=disk0,read-only=off,discard=unmap,file.driver=file,"
                    "file.filename=/out/root,,1.img",
                    "-device",
                    "virtio-blk-pci,id=xvda1,serial=xvda1,drive=disk0",
                    "-blockdev",
                    "driver=raw,node-name=disk1,read-only=on,discard=unmap,file.driver=host_device,"
                    "file.filename=/dev/vg/swap",
                    "-device",
                    "virtio-blk-pci,id=xvda2,serial=xvda2,drive=disk1",
                    "-netdev",
                    "tap,id=net0,fd=7",
                    "-device",
                    "virtio-net-pci,netdev=net0,id=vif0,mac=aa:00:00:12:23:34,romfile=",
                    "-netdev",
                    "user,id=net1,net=10.0.3.0/24",
                    "-device",
                    "virtio-net-pci,netdev=net1,id=vif1,mac=00:16:3e:02:2a:b0,romfile="}));
}

TEST(QemuArgv, FullyVirtualGuestWithScreenUnderKvm) {
    Guest guest;
    guest.name = "win";
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    guest.type = GuestType::hvm;
    guest.maxvcpus = 4;
    guest.boot = "dcn";
    guest.vnc = true;
    guest.disks = {{"/a.qcow2", DiskFormat::qcow2, "hda", true, false},
                   {"/b.iso", DiskFormat::raw, "hdc", false, true},
                   {"", DiskFormat::empty, "hdd", false, true},
                   {"/c.vhd", DiskFormat::vhd, "sdb", true, false}};
    guest.interfaces = {{"00:16:3e:01:02:03", "", "e1000", {}}};
    QemuHost host;
    host.engine = Engine::kvm;
    host.qmp_fd = 3;
    host.console_fd = 4;
    EXPECT_EQ(qemu_argv(guest, host),
              (Argv{"qemu-system-x86_64",
                    "-name",
                    "guest=win,process=vprov-win,debug-threads=on",
                    "-uuid",
                    "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab",
                    "-machine",
                    "pc",
                    "-accel",
                    "kvm",
                    "-cpu",
                    "host",
                    "-m",
                    "128M",
                    "-smp",
                    "cpus=1,maxcpus=4,sockets=1,cores=4,threads=1",
                    "-nodefaults",
                    "-no-user-config",
                    "-S",
                    "-action",
                    "reboot=shutdown,shutdown=pause,panic=pause",
                    "-rtc",
                    "base=utc",
                    "-sandbox",
                    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                    "-vnc",
                    "127.0.0.1:0,to=99",
                    "-device",
                    "VGA",
                    "-chardev",
                    "socket,id=qmp0,fd=3,server=on,wait=off",
                    "-mon",
                    "chardev=qmp0,mode=control",
                    "-chardev",
                    "socket,id=con0,fd=4,server=on,wait=off",
                    "-serial",
                    "chardev:con0",
                    "-device",
                    "pvpanic",
                    "-object",
                    "rng-random,id=rng0,filename=/dev/urandom",
                    "-device",
                    "virtio-rng-pci,rng=rng0",
                    "-device",
                    "virtio-balloon-pci,id=balloon0",
                    "-device",
                    "virtio-scsi-pci,id=scsi0",
                    "-blockdev",
                    "driver=qcow2,node-name=disk0,read-only=off,discard=unmap,file.driver=file,file.filename=/a.qcow2",
                    "-device",
                    "ide-hd,bus=ide.0,unit=0,id=hda,drive=disk0,bootindex=101",
                    "-blockdev",
                    "driver=raw,node-name=disk1,read-only=on,discard=unmap,file.driver=file,file.filename=/b.iso",
                    "-device",
                    "ide-cd,bus=ide.1,unit=0,id=hdc,drive=disk1,bootindex=1",
                    "-device",
                    "ide-cd,bus=ide.1,unit=1,id=hdd,bootindex=2",
                    "-blockdev",
                    "driver=vpc,node-name=disk3,read-only=off,discard=unmap,file.driver=file,file.filename=/c.vhd",
                    "-device",
                    "scsi-hd,bus=scsi0.0,scsi-id=1,id=sdb,drive=disk3,bootindex=102",
                    "-netdev",
                    "user,id=net0,net=10.0.2.0/24",
                    "-device",
                    "e1000,netdev=net0,id=vif0,mac=00:16:3e:01:02:03,bootindex=201"}));
}

TEST(QemuArgv, ScreenWithPasswordAndTablet) {
    Guest guest;
    guest.name = "a";
    guest.vnc = true;
    guest.vncdisplay = 120;
    guest.vncpasswd = "geheim";
    guest.keymap = "de";
    guest.screen = Screen::qxl;
    guest.videoram_mib = 64;
    guest.usbdevices = {"tablet"};
    QemuHost host;
    host.vnc_password_fd = 7;
    const auto screen = [&] {
        const auto argv = qemu_argv(guest, host);
        const auto first = std::find_if(argv.begin(), argv.end(),
                                        [](const auto& word) { return word == "-object" || word == "-vnc"; });
        return Argv(first, std::find(argv.begin(), argv.end(), "-chardev"));
    };
    EXPECT_EQ(screen(), (Argv{"-object", "secret,id=vnc0,file=/proc/self/fd/7", "-vnc",
                              "127.0.0.1:120,to=120,password-secret=vnc0", "-k", "de", "-device",
                              "qxl-vga,vgamem_mb=64", "-usb", "-device", "usb-tablet"}));
    guest.vncunused = false;
    guest.screen = Screen::none;
    guest.keymap = "../x";
    guest.usbdevices.clear();
    host.vnc_password_fd = -1;
    EXPECT_EQ(screen(), (Argv{"-vnc", "127.0.0.1:120"}));
}

TEST(QemuArgv, ScreenOnLoopbackOnly) {
    const auto display = [](std::string_view listen) {
        Guest guest;
        guest.name = "a";
        guest.vnc = true;
        guest.vnclisten = listen;
        const auto argv = qemu_argv(guest, {});
        for (std::size_t i = 0; i + 1 < argv.size(); ++i)
            if (argv[i] == "-vnc")
                return argv[i + 1];
        return std::string();
    };
    EXPECT_EQ(display(""), "127.0.0.1:0,to=99");
    EXPECT_EQ(display("0.0.0.0"), "127.0.0.1:0,to=99");
    EXPECT_EQ(display("127.0.0.2"), "127.0.0.2:0,to=99");
    EXPECT_EQ(display("127.0.0.1,websocket=on"), "127.0.0.1:0,to=99");
    EXPECT_EQ(display("::1"), "[::1]:0,to=99");
}

TEST(QemuArgv, RefusesDevicesThatAreNotThere) {
    const auto error_of = [](GuestType type, std::vector<GuestDisk> disks, std::string model = "") -> std::string {
        Guest guest;
        guest.name = "a";
        guest.type = type;
        guest.disks = std::move(disks);
        guest.interfaces = {{"", "", std::move(model), {}}};
        try {
            qemu_argv(guest, {});
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    };
    const auto disk = [](std::string vdev, bool cdrom = false) {
        return GuestDisk{cdrom ? "" : "/a", DiskFormat::raw, std::move(vdev), true, cdrom};
    };
    EXPECT_EQ(error_of(GuestType::hvm, {disk("hde")}), "cannot give 'a' the disk 'hde': there are hda to hdd only");
    EXPECT_EQ(error_of(GuestType::hvm, {disk("hda1"), disk("hda2")}),
              "cannot give 'a' the disk 'hda2': another disk is there already");
    EXPECT_EQ(error_of(GuestType::pv, {disk("hda1"), disk("hda2")}), "no error");
    EXPECT_EQ(error_of(GuestType::pv, {disk("xvda"), disk("xvda")}),
              "cannot give 'a' the disk 'xvda': the device is given twice");
    EXPECT_EQ(error_of(GuestType::pv, {disk("vda")}),
              "cannot give 'a' the disk 'vda': the device must be named like xvda, hda or sda");
    EXPECT_EQ(error_of(GuestType::pv, {disk("xvda", true)}),
              "cannot give 'a' the disk 'xvda': an empty CD drive must be one of hda to hdd");
    EXPECT_EQ(error_of(GuestType::hvm, {{"/a", DiskFormat::raw, "hda", false, false}}),
              "cannot give 'a' the disk 'hda': a disk on an IDE bus cannot be read-only; name it xvdX or sdX");
    EXPECT_EQ(error_of(GuestType::hvm, {}, "wifi"),
              "cannot give 'a' a network card 'wifi': known are netfront, virtio-net and "
              "e1000, e1000e, rtl8139, ne2k_pci, pcnet, i82551, i82557b, i82559er");
}

TEST(QemuArgv, UserModeNetworkThatBoots) {
    Guest guest;
    guest.name = "a";
    guest.type = GuestType::hvm;
    guest.boot = "n";
    guest.interfaces = {{"00:16:3e:00:00:01", "", "", {{"tftp", "/srv/tftp"}, {"bootfile", "/pxelinux.0"}}}};
    auto argv = qemu_argv(guest, {});
    EXPECT_EQ(Argv(argv.end() - 4, argv.end()),
              (Argv{"-netdev", "user,id=net0,net=10.0.2.0/24,tftp=/srv/tftp,bootfile=/pxelinux.0", "-device",
                    "virtio-net-pci,netdev=net0,id=vif0,mac=00:16:3e:00:00:01,bootindex=1"}));
    QemuHost host;
    host.tap_fds = {7};
    argv = qemu_argv(guest, host);
    EXPECT_EQ(*(argv.end() - 3), "tap,id=net0,fd=7");
}

TEST(QemuArgv, AnInitrdThatMakesXensNames) {
    auto guest = debian1();
    guest.cmdline = "root=/dev/xvda1 ro";
    QemuHost host;
    const auto kernel = [&] {
        const auto argv = qemu_argv(guest, host);
        const auto first = std::find(argv.begin(), argv.end(), "-initrd");
        return Argv(first, first + 4);
    };
    EXPECT_EQ(kernel(), (Argv{"-initrd", "/out/initrd.img", "-append", "root=/dev/vda ro console=ttyS0"}));
    host.ramdisk = "/proc/self/fd/9";
    host.root = RootName::as_given;
    EXPECT_EQ(kernel(), (Argv{"-initrd", "/proc/self/fd/9", "-append", "root=/dev/xvda1 ro console=ttyS0"}));
}

TEST(DeviceNames, WhoWantsThem) {
    auto guest = debian1();
    EXPECT_FALSE(wants_device_names(guest));
    for (const auto* root : {"/dev/xvda1", "/dev/hda1", "/dev/sda"}) {
        guest.cmdline = fmt::format("ro root={} quiet", root);
        EXPECT_TRUE(wants_device_names(guest)) << root;
    }
    guest.ramdisk.clear();
    EXPECT_FALSE(wants_device_names(guest));
    guest = debian1();
    guest.cmdline = "root=/dev/mapper/vg-root";
    EXPECT_FALSE(wants_device_names(guest));
}

TEST(DeviceNames, AnAlignedArchive) {
    for (const std::size_t size : {4096U, 4097U, 4098U, 4099U}) {
        const auto segment = device_names_segment(size);
        const auto start = segment.find("070701");
        EXPECT_EQ((size + start) % 4, 0U);
        EXPECT_EQ(segment.substr(0, start), std::string(start, '\0'));
        EXPECT_EQ((segment.size() - start) % 4, 0U);
    }
    const auto segment = device_names_segment(0);
    constexpr std::size_t kHeader = 110;
    const std::string name = "lib/udev/rules.d/61-vprov-xen-names.rules";
    EXPECT_EQ(segment.substr(kHeader, name.size() + 1), name + '\0');
    EXPECT_EQ(segment.substr(14, 8), "000081a4");
    EXPECT_NE(segment.find("SYMLINK+=\"$attr{serial}%n\"\n"), std::string::npos);
    EXPECT_NE(segment.find("TRAILER!!!"), std::string::npos);
}

TEST(QemuArgv, DevicesThatWerePluggedInWhileItRan) {
    Guest guest;
    guest.name = "a";
    guest.kernel = "/vmlinuz";
    guest.memory_mib = 512;
    guest.maxmem_mib = 1024;
    guest.disks = {{"/x", DiskFormat::raw, "xvdb", true, false}};
    guest.disks[0].pci_slot = 31;
    guest.interfaces = {{"00:16:3e:00:00:01", "", "", {{"devid", "2"}}}};
    guest.interfaces[0].pci_slot = 30;
    const auto argv = qemu_argv(guest, {});
    EXPECT_EQ(*(std::find(argv.begin(), argv.end(), "-m") + 1), "1024M");
    EXPECT_EQ(Argv(argv.end() - 6, argv.end()),
              (Argv{"-device", "virtio-blk-pci,id=xvdb,serial=xvdb,addr=0x1f,drive=disk0", "-netdev",
                    "user,id=net2,net=10.0.4.0/24", "-device",
                    "virtio-net-pci,netdev=net2,id=vif2,mac=00:16:3e:00:00:01,addr=0x1e,romfile="}));
}

std::string word_after(const std::vector<std::string>& argv, std::string_view option) {
    const auto found = std::find(argv.begin(), argv.end(), option);
    return found == argv.end() ? "none" : *(found + 1);
}

TEST(QemuArgv, ACloneHasAPortAndWritesToMemoryOfItsOwn) {
    auto guest = debian1();
    guest.agent = true;
    QemuHost host;
    host.ram_fd = 9;
    host.ram_is_shared = false;
    host.agent_fd = 8;
    const auto text = joined(qemu_argv(guest, host), " ");
    EXPECT_NE(text.find(" -object memory-backend-file,id=pc.ram,size=512M,mem-path=/proc/self/fd/9,share=off "),
              std::string::npos);
    EXPECT_NE(
        text.find(" -chardev socket,id=agent0,fd=8,server=on,wait=off -device virtio-serial-pci,id=ports0 -device "
                  "virtserialport,bus=ports0.0,nr=1,chardev=agent0,name=org.vprov.0 "),
        std::string::npos);
    EXPECT_EQ(joined(qemu_argv(debian1(), {}), " ").find("virtio-serial"), std::string::npos);
}

TEST(QemuArgv, UefiIsTwoFlashDevices) {
    Guest guest;
    guest.name = "a";
    guest.type = GuestType::hvm;
    guest.firmware = Firmware::uefi;
    QemuHost host;
    host.uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    host.uefi_variables = "/run/a,b.fd";
    auto argv = qemu_argv(guest, host);
    EXPECT_EQ(word_after(argv, "-machine"), "pc,pflash0=uefi0,pflash1=uefi1");
    const auto first = std::find(argv.begin(), argv.end(), "-blockdev");
    EXPECT_EQ(
        Argv(first, first + 4),
        (Argv{"-blockdev",
              "driver=raw,node-name=uefi0,read-only=on,file.driver=file,"
              "file.filename=/usr/share/OVMF/OVMF_CODE_4M.fd",
              "-blockdev", "driver=raw,node-name=uefi1,read-only=off,file.driver=file,file.filename=/run/a,,b.fd"}));
    guest.firmware = Firmware::bios;
    EXPECT_EQ(word_after(qemu_argv(guest, host), "-machine"), "pc,graphics=off");
    guest.firmware = Firmware::uefi;
    guest.kernel = "/vmlinuz";  // is loaded by the BIOS, as without a firmware
    EXPECT_EQ(word_after(qemu_argv(guest, host), "-machine"), "pc,graphics=off");
}

std::string cmdline(std::string text, std::vector<std::string> vdevs = {}, GuestType type = GuestType::pv) {
    Guest guest;
    guest.name = "a";
    guest.type = type;
    guest.cmdline = std::move(text);
    for (auto& vdev : vdevs) guest.disks.push_back({"/x", DiskFormat::raw, vdev, true, false});
    return qemu_cmdline(guest);
}

TEST(QemuCmdline, SerialConsoleComesLast) {
    EXPECT_EQ(cmdline(""), "console=ttyS0");
    EXPECT_EQ(cmdline("ro console=hvc0 quiet"), "ro console=hvc0 quiet console=ttyS0");
    EXPECT_EQ(cmdline("console=tty0 console=ttyS0,115200n8 quiet"), "console=tty0 console=ttyS0,115200n8 quiet");
    EXPECT_EQ(cmdline("console=ttyS0 console=hvc0"), "console=ttyS0 console=hvc0 console=ttyS0");
    EXPECT_EQ(cmdline("ro -- single root=/dev/xvda"), "ro console=ttyS0 -- single root=/dev/xvda");
}

TEST(QemuCmdline, XenDeviceNamesBecomeVirtioNames) {
    EXPECT_EQ(cmdline("root=/dev/xvda1 ro", {"xvda1", "xvda2"}), "root=/dev/vda ro console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/xvda2", {"xvda1", "xvda2"}), "root=/dev/vdb console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/xvdb3", {"xvda", "xvdb"}), "root=/dev/vdb3 console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/hda1", {"hda1"}), "root=/dev/vda console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/hda1", {"hda"}, GuestType::hvm), "root=/dev/hda1 console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/xvdb", {"hda", "xvdb"}, GuestType::hvm), "root=/dev/vda console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/xvdz9", {"xvda"}), "root=/dev/xvdz9 console=ttyS0");
    EXPECT_EQ(cmdline("root=/dev/mapper/vg-root", {"xvda"}), "root=/dev/mapper/vg-root console=ttyS0");
    EXPECT_EQ(cmdline("root=LABEL=root", {"xvda"}), "root=LABEL=root console=ttyS0");
}

TEST(QemuDevices, Names) {
    EXPECT_EQ(parse_device_name("xvda1").index, 0);
    EXPECT_EQ(parse_device_name("xvdaa").index, 26);
    EXPECT_EQ(parse_device_name("hdc").partition, "");
    EXPECT_EQ(parse_device_name("sdb12").partition, "12");
    for (const auto* bad : {"xvd", "xvd1", "vda", "hdA", "xvdaaa", "xvda1x", ""})
        EXPECT_EQ(parse_device_name(bad).index, -1) << bad;
    EXPECT_EQ(linux_disk_name("vd", 0), "vda");
    EXPECT_EQ(linux_disk_name("vd", 25), "vdz");
    EXPECT_EQ(linux_disk_name("vd", 26), "vdaa");
    EXPECT_EQ(linux_disk_name("vd", 701), "vdzz");
}

TEST(GuestIdentity, DerivedOnceAndForAll) {
    Guest guest;
    guest.name = "a";
    guest.interfaces.resize(2);
    EXPECT_EQ(guest_uuid(guest), guest_uuid(guest));
    EXPECT_EQ(guest_uuid(guest).size(), 36U);
    EXPECT_TRUE(interface_mac(guest, 0).starts_with("00:16:3e:"));
    EXPECT_NE(interface_mac(guest, 0), interface_mac(guest, 1));
}

}  // namespace
}  // namespace vprov::hypervisor
