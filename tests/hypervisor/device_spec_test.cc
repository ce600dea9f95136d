#include <gtest/gtest.h>

#include "base/error.h"
#include "hypervisor/guest/device_spec.h"

namespace vprov::hypervisor {
namespace {

std::string shown(std::string_view spec) {
    try {
        const auto [disk, script] = parse_disk_spec(spec);
        return fmt::format("{} {} {}{} '{}'{}", disk.vdev, format_name(disk.format), disk.writable ? "rw" : "ro",
                           disk.cdrom ? " cdrom" : "", disk.target, script.empty() ? "" : " script=" + script);
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
    EXPECT_EQ(shown("qcow:/a,xvda,w"),
              "cannot read the disk 'qcow:/a,xvda,w': the format 'qcow' (version 1) is not supported; "
              "convert the image with qemu-img");
}

TEST(VifSpec, KeepsWhatItDoesNotUse) {
    const auto vif = parse_vif_spec("mac=00:16:3e:01:02:03 , bridge = br1,model=e1000,ip=10.0.0.4,rate=10Mb/s@50ms");
    EXPECT_EQ(vif,
              (GuestInterface{"00:16:3e:01:02:03", "br1", "e1000", {{"ip", "10.0.0.4"}, {"rate", "10Mb/s@50ms"}}}));
    EXPECT_EQ(parse_vif_spec(""), GuestInterface{});
    EXPECT_THROW(parse_vif_spec("mac=00:16:3e:01:02"), Error);
    EXPECT_THROW(parse_vif_spec("bridge"), Error);
}

}  // namespace
}  // namespace vprov::hypervisor
