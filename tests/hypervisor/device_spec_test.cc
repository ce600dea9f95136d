#include <gtest/gtest.h>

#include "base/error.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

namespace vprov::hypervisor {
namespace {

std::string shown(std::string_view spec) {
    try {
        const auto disk = parse_disk_spec(spec);
        return fmt::format("{} {} {}{} '{}'{}", disk.vdev, name_in(kFormatNames, disk.format),
                           disk.writable ? "rw" : "ro", disk.cdrom ? " cdrom" : "", disk.target,
                           disk.script.empty() ? "" : " script=" + disk.script);
    } catch (const Error& e) {
        return e.message();
    }
}

TEST(DiskSpec, EverySyntax) {
    EXPECT_EQ(shown("phy:/dev/vg/root,xvda1,w"), "xvda1 raw rw '/dev/vg/root'");
    EXPECT_EQ(shown("file:/a.img,xvda,r"), "xvda raw ro '/a.img'");
    EXPECT_EQ(shown("tap:aio:/a,xvda,w"), "xvda raw rw '/a'");
    EXPECT_EQ(shown("tap:qcow2:/a,xvda,w"), "xvda qcow2 rw '/a'");
    EXPECT_EQ(shown("tap2:vhd:/a,xvda,w"), "xvda vhd rw '/a'");
    EXPECT_EQ(shown("/a.iso,raw,hdc:cdrom,r"), "hdc raw ro cdrom '/a.iso'");
    EXPECT_EQ(shown(",hdc:cdrom,r"), "hdc empty ro cdrom ''");
    EXPECT_EQ(shown("vdev=hdd,cdrom"), "hdd empty ro cdrom ''");
    EXPECT_EQ(shown("format=raw, vdev=xvda, access=rw, target=/a, b"), "xvda raw rw '/a, b'");
    EXPECT_EQ(shown("nbd:host:10809,xvda,w"), "xvda raw rw 'host:10809' script=block-nbd");
}

TEST(DiskSpec, Refusals) {
    EXPECT_EQ(shown("phy:/a"), "cannot read the disk 'phy:/a': it names no device for the guest (vdev=)");
    EXPECT_EQ(shown("vdev=xvda"), "cannot read the disk 'vdev=xvda': it names no file or device (target=)");
    EXPECT_EQ(shown("/a,raw,xvda,x"),
              "cannot read the disk '/a,raw,xvda,x': the access 'x' is not known (r, ro, w, rw)");
    EXPECT_EQ(shown("/a,raw,xvda,w,x"), "cannot read the disk '/a,raw,xvda,w,x': 'x' is one parameter too many");
    EXPECT_EQ(shown("foo=bar,target=/x"), "cannot read the disk 'foo=bar,target=/x': the parameter 'foo' is not known");
    EXPECT_EQ(shown("xyz:/a,xvda,w"), "cannot read the disk 'xyz:/a,xvda,w': the prefix 'xyz' is not known");
    EXPECT_EQ(shown("vdev=a,vdev=b,target=/x"), "cannot read the disk 'vdev=a,vdev=b,target=/x': vdev is given twice");
    EXPECT_EQ(shown("format=raw,format=qed,vdev=b"),
              "cannot read the disk 'format=raw,format=qed,vdev=b': its format is given twice");
    EXPECT_EQ(
        shown("backendtype=file,vdev=b,target=/x"),
        "cannot read the disk 'backendtype=file,vdev=b,target=/x': the backendtype 'file' is not known (phy, tap, "
        "qdisk)");
}

TEST(DiskSpec, Options) {
    const auto disk = parse_disk_spec(
        "format=qcow2,vdev=xvda,backendtype=qdisk,backend=store,no-discard,direct-io-safe,script=block-x,target=/a");
    GuestDisk expected{"/a", DiskFormat::qcow2, "xvda", true, false};
    expected.backend = DiskBackend::qdisk;
    expected.backend_domain = "store";
    expected.script = "block-x";
    expected.discard = false;
    expected.direct_io_safe = true;
    EXPECT_EQ(disk, expected);
    EXPECT_EQ(parse_disk_spec(write_disk_spec(disk, Dialect::xl, GuestType::pv)), disk);
}

std::string old(std::string_view spec, GuestType type = GuestType::pv) {
    try {
        const auto disk = parse_disk_spec(spec);
        auto text = write_disk_spec(disk, Dialect::xm, type);
        EXPECT_EQ(parse_disk_spec(text), disk) << text;
        return text;
    } catch (const Error& e) {
        return e.message();
    }
}

TEST(DiskSpec, OldSpelling) {
    EXPECT_EQ(old("format=raw,vdev=hda1,access=rw,target=/dev/hda3"), "phy:/dev/hda3,hda1,w");
    EXPECT_EQ(old("format=raw,vdev=xvda,access=ro,target=/srv/a.img"), "file:/srv/a.img,xvda,r");
    EXPECT_EQ(old("format=raw,vdev=hda,access=rw,target=/dev/hda3", GuestType::hvm), "phy:/dev/hda3,ioemu:hda,w");
    EXPECT_EQ(old("format=raw,vdev=hdc,devtype=cdrom,target=/root/wincd.iso", GuestType::hvm),
              "file:/root/wincd.iso,ioemu:hdc:cdrom,r");
    EXPECT_EQ(old("vdev=hdc,cdrom", GuestType::hvm), ",ioemu:hdc:cdrom,r");
    EXPECT_EQ(old("format=qcow2,vdev=xvda,target=/a"), "tap:qcow2:/a,xvda,w");
    EXPECT_EQ(old("format=qcow,vdev=xvda,target=/a"), "tap:qcow:/a,xvda,w");
    EXPECT_EQ(old("format=vhd,vdev=xvda,target=/a"), "tap:vhd:/a,xvda,w");
    EXPECT_EQ(old("format=raw,vdev=xvda,script=block-nbd,target=host:10809"), "nbd:host:10809,xvda,w");
    EXPECT_EQ(old("format=raw,vdev=xvda,backendtype=qdisk,discard,target=/a"),
              "file:/a,xvda,w,backendtype=qdisk,discard");
    for (const auto* today :
         {"format=qed,vdev=xvda,access=rw,target=/a", "format=raw,vdev=xvda,access=rw,script=block-mine,target=/a",
          "format=raw,vdev=xvda,access=rw,target=/a,b"})
        EXPECT_EQ(old(today), today);
}

TEST(VifSpec, KeepsWhatItDoesNotUse) {
    const auto vif = parse_vif_spec(
        "mac=00:16:3e:01:02:03 , bridge = br1,model=e1000,type=ioemu,ip=10.0.0.4,rate=10Mb/s@50ms,mtu=9000");
    GuestInterface expected{"00:16:3e:01:02:03", "br1", "e1000", {{"mtu", "9000"}}};
    expected.type = VifType::ioemu;
    expected.ip = "10.0.0.4";
    expected.rate = "10Mb/s@50ms";
    EXPECT_EQ(vif, expected);
    const auto text = write_vif_spec(vif, Dialect::xl);
    EXPECT_EQ(text, "type=ioemu,mac=00:16:3e:01:02:03,bridge=br1,model=e1000,ip=10.0.0.4,rate=10Mb/s@50ms,mtu=9000");
    EXPECT_EQ(parse_vif_spec(text), vif);
    EXPECT_EQ(write_vif_spec(parse_vif_spec("bridge=xenbr0,type=ioemu"), Dialect::xm), "type=ioemu, bridge=xenbr0");
    for (const auto* rate : {"10Mb/s", "250KB/s", "1MB/s@20ms", "5b/s@1s", "7GB/s@9us", "1B/s@5"})
        EXPECT_EQ(parse_vif_spec(std::string("rate=") + rate).rate, rate);
    for (const auto* bad :
         {"rate=10", "rate=Mb/s", "rate=10Mb", "rate=10mb/s", "rate=1B/s@", "rate=1B/s@5m", "type=tap"})
        EXPECT_THROW(parse_vif_spec(bad), Error) << bad;
    EXPECT_EQ(parse_vif_spec(""), GuestInterface{});
    EXPECT_THROW(parse_vif_spec("mac=00:16:3e:01:02"), Error);
    EXPECT_THROW(parse_vif_spec("bridge"), Error);
}

}  // namespace
}  // namespace vprov::hypervisor
