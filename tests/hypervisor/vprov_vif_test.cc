#include <gtest/gtest.h>

#include "base/error.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/qemu_argv.h"

namespace vprov::hypervisor {
namespace {

std::string error_of(std::string_view spec) {
    GuestInterface vif;
    try {
        parse_vprov_vif(spec, vif);
    } catch (const Error& e) {
        return e.message();
    }
    return "no error";
}

TEST(VprovVif, ForwardsReadAndWritten) {
    GuestInterface vif;
    parse_vprov_vif("forward=2222:22, forward=udp:0.0.0.0:53:5353,forward=tcp:127.0.0.2:65535:1", vif);
    EXPECT_EQ(vif.forwards,
              (std::vector<PortForward>{
                  {false, "127.0.0.1", 2222, 22}, {true, "0.0.0.0", 53, 5353}, {false, "127.0.0.2", 65535, 1}}));
    EXPECT_EQ(write_vprov_vif(vif),
              "forward=tcp:127.0.0.1:2222:22,forward=udp:0.0.0.0:53:5353,forward=tcp:127.0.0.2:65535:1");
    EXPECT_EQ(write_vprov_vif({}), "");
}

TEST(VprovVif, WhatIsRefused) {
    for (const auto* const wrong : {"22", "0:22", "22:65536", "a:22", "1.2.3:22:22", "1.2.3.256:22:22", "1.2.3.04:1:2",
                                    "sctp:22:22", "tcp:udp:1:2", "1:2:3:4", "::1:22:22", "99999999999:1"})
        EXPECT_EQ(error_of(std::string("forward=") + wrong),
                  std::string("cannot read the vprov_vif 'forward=") + wrong + "': '" + wrong +
                      "' is not a forward, such as '2222:22' or 'udp:0.0.0.0:5353:53'");
    EXPECT_EQ(error_of("segment=a/b"),
              "cannot read the vprov_vif 'segment=a/b': 'a/b' is not the name of a segment "
              "(letters, digits, '_' and '-')");
    EXPECT_EQ(error_of("bridge=a"), "cannot read the vprov_vif 'bridge=a': 'bridge' is neither forward nor segment");
    EXPECT_EQ(error_of("segment=a,forward=1:2"),
              "cannot read the vprov_vif 'segment=a,forward=1:2': an interface has either forwards or a segment");
}

TEST(VprovVif, BelongsToTheInterfaceInItsPlace) {
    const auto read = read_xl_cfg(
        "name = \"a\"\nvif = [ \"bridge=b\", \"\", \"\" ]\n"
        "vprov_vif = [ \"\", \"forward=2222:22\" ]\n",
        "a.cfg");
    EXPECT_EQ(read.warnings, std::vector<std::string>());
    ASSERT_EQ(read.guest.interfaces.size(), 3U);
    EXPECT_TRUE(read.guest.interfaces[0].forwards.empty());
    EXPECT_EQ(read.guest.interfaces[1].forwards, (std::vector<PortForward>{{false, "127.0.0.1", 2222, 22}}));
    for (const auto dialect : {Dialect::xl, Dialect::xm}) {
        const auto written = write_xl_cfg(read.guest, dialect);
        EXPECT_EQ(read_xl_cfg(written, "a.cfg").guest, read.guest) << written;
    }
    auto plain = read.guest;
    plain.interfaces[1].forwards.clear();
    EXPECT_EQ(write_xl_cfg(plain).find("vprov_vif"), std::string::npos);
    try {
        read_xl_cfg("name = \"a\"; vif = [ \"\" ]\nvprov_vif = [ \"\",\n\"segment=a\" ]\n", "a.cfg");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "a.cfg:3: cannot use 'vprov_vif': there are more of it than of 'vif'");
    }
}

TEST(VprovVif, ForQemu) {
    Guest guest;
    guest.name = "a";
    guest.interfaces = {{"aa:00:00:12:23:34", "", "", {}}};
    parse_vprov_vif("forward=2222:22,forward=udp:53:5353", guest.interfaces[0]);
    const auto argv = qemu_argv(guest, {});
    EXPECT_NE(std::find(argv.begin(), argv.end(),
                        "user,id=net0,net=10.0.2.0/24,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp:127.0.0.1:53-:5353"),
              argv.end());
}

}  // namespace
}  // namespace vprov::hypervisor
