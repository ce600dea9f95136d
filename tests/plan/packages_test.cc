#include "plan/packages.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace vprov::plan {
namespace {

using Names = std::vector<std::string>;

Names packages(const std::string& more) {
    return plan_of(more).include;
}

TEST(Packages, StandardNeedsAKernelAndTheBus) {
    EXPECT_EQ(packages(""), (Names{"dbus", "linux-image-cloud-amd64"}));
    EXPECT_EQ(packages("[system]\ninclude = [\"vim\", \"curl\", \"vim\"]\n"),
              (Names{"curl", "dbus", "linux-image-cloud-amd64", "vim"}));
}

TEST(Packages, AForeignOneStandsInForNothing) {
    EXPECT_EQ(packages("[system]\nforeign_architectures = [\"i386\"]\ninclude = [\"dbus:i386\", \"libc6:i386\"]\n"),
              (Names{"dbus", "dbus:i386", "libc6:i386", "linux-image-cloud-amd64"}));
    EXPECT_EQ(packages("[system]\ninclude = [\"dbus:amd64\"]\n"), (Names{"dbus:amd64", "linux-image-cloud-amd64"}));
}

TEST(Packages, TheKernelIsTheRecipesOrTheArchitectures) {
    recipe::System system;
    EXPECT_EQ(kernel_package(system, "arm64"), "linux-image-cloud-arm64");
    EXPECT_EQ(kernel_package(system, "i386"), "linux-image-686-pae");
    EXPECT_EQ(kernel_package(system, "armel"), "");
    system.distribution = "ubuntu";
    EXPECT_EQ(kernel_package(system, "amd64"), "linux-image-virtual");
    system.kernel.package = "linux-image-amd64";
    EXPECT_EQ(kernel_package(system, "amd64"), "linux-image-amd64");
    system.kernel.path = "/boot/vmlinuz";
    EXPECT_EQ(kernel_package(system, "amd64"), "linux-image-amd64")
        << "a kernel of the host may want its modules in the guest";
    system.kernel.package.reset();
    EXPECT_EQ(kernel_package(system, "amd64"), "");
}

TEST(Packages, LocalesAndSudoComeWithTheIdentity) {
    const Names kernel = {"dbus", "linux-image-cloud-amd64"};
    EXPECT_EQ(packages("[identity]\nlocale = \"de_DE.UTF-8\"\n"),
              (Names{"dbus", "linux-image-cloud-amd64", "locales"}));
    for (const auto* locale : {"C", "POSIX", "C.UTF-8"})
        EXPECT_EQ(packages(std::string("[identity]\nlocale = \"") + locale + "\"\n"), kernel) << locale;
    EXPECT_EQ(packages("[system]\ninclude=[\"locales-all\"]\n[identity]\nlocale = \"de_DE.UTF-8\"\n"),
              (Names{"dbus", "linux-image-cloud-amd64", "locales-all"}));
    EXPECT_EQ(packages("[[identity.user]]\nname=\"a\"\n[[identity.user]]\nname=\"b\"\nsudo=true\n"),
              (Names{"dbus", "linux-image-cloud-amd64", "sudo"}));
    EXPECT_EQ(packages("[[identity.user]]\nname=\"a\"\n"), kernel);
}

TEST(Packages, ASmallVariantThatBootsGetsAnInit) {
    for (const auto* variant : {"essential", "minbase", "buildd"})
        EXPECT_EQ(packages(std::string("[system]\nvariant = \"") + variant + "\"\n"),
                  (Names{"dbus", "linux-image-cloud-amd64", "systemd-sysv", "udev"}))
            << variant;
    EXPECT_EQ(packages("[system]\nvariant = \"minbase\"\ninclude = [\"sysvinit-core\"]\n"),
              (Names{"linux-image-cloud-amd64", "sysvinit-core", "udev"}));
    EXPECT_EQ(packages("[system]\nvariant = \"minbase\"\n[system.kernel]\npackage = \"\"\n"), Names{})
        << "it does not boot";
}

TEST(Packages, NameServersByDhcpNeedAResolverInASmallVariant) {
    const std::string minbase = "[system]\nvariant = \"minbase\"\n";
    const Names with = {"dbus", "linux-image-cloud-amd64", "systemd-resolved", "systemd-sysv", "udev"};
    const Names without = {"dbus", "linux-image-cloud-amd64", "systemd-sysv", "udev"};
    EXPECT_EQ(packages(minbase + "[[network]]\n"), with);
    EXPECT_EQ(packages(minbase + "[[network]]\ndns=[\"192.0.2.53\"]\n"), without);
    EXPECT_EQ(packages(minbase + "[[network]]\naddress=\"192.0.2.7/24\"\n"), without);
    EXPECT_EQ(packages(minbase + "suite = \"bullseye\"\n[[network]]\n"), without)
        << "there it is in the package systemd";
    EXPECT_EQ(packages(minbase + "include = [\"ifupdown\"]\n[[network]]\n"),
              (Names{"dbus", "ifupdown", "isc-dhcp-client", "linux-image-cloud-amd64", "systemd-sysv", "udev"}));
}

TEST(Packages, WhatConfiguresTheNetworkComesAlong) {
    const std::string none = "variant = \"minbase\"\n[system.kernel]\npackage = \"\"\n";
    const auto of = [&](const std::string& system, const std::string& renderer, const std::string& address) {
        return packages("[system]\n" + system + none + "[identity]\nnetwork_renderer = \"" + renderer +
                        "\"\n[[network]]\naddress = \"" + address + "\"\n");
    };
    EXPECT_EQ(of("", "auto", "dhcp"), Names{});
    EXPECT_EQ(of("", "ifupdown", "dhcp"), (Names{"ifupdown", "isc-dhcp-client"}));
    EXPECT_EQ(of("suite = \"trixie\"\n", "ifupdown", "dhcp6"), (Names{"dhcpcd-base", "ifupdown"}));
    EXPECT_EQ(of("include = [\"udhcpc\"]\n", "ifupdown", "dhcp"), (Names{"ifupdown", "udhcpc"}));
    EXPECT_EQ(of("", "ifupdown", "192.0.2.7/24"), (Names{"ifupdown"}));
    EXPECT_EQ(of("", "netplan", "slaac"), (Names{"netplan.io", "systemd-resolved"}));
    EXPECT_EQ(of("", "networkd", "192.0.2.7/24"), Names{});
}

TEST(Packages, ATimeZoneNeedsItsTable) {
    const std::string none = "[system.kernel]\npackage = \"\"\n[identity]\ntimezone = ";
    EXPECT_EQ(packages(none + "\"Europe/Berlin\"\n"), (Names{"tzdata"}));
    EXPECT_EQ(packages(none + "\"UTC\"\n"), Names{});
}

TEST(Packages, HttpsNeedsAuthorities) {
    auto facts = plain_facts({"/r/ca.pem"});
    const std::string start = "[system]\nmirror = \"https://mirror.example.org/debian\"\n";
    const Names with = {"ca-certificates", "dbus", "linux-image-cloud-amd64"};
    const Names without = {"dbus", "linux-image-cloud-amd64"};
    EXPECT_EQ(plan_of(start, facts).include, with);
    EXPECT_EQ(plan_of("[[system.repository]]\nuri=\"https://a.example.org/x\"\nsuite=\"y\"\n", facts).include, with);
    EXPECT_EQ(plan_of(start + "exclude = [\"ca-certificates\"]\n", facts).include, without);
    EXPECT_EQ(plan_of(start + "ca_certificates = \"ca.pem\"\n", facts).include, without) << "the guest gets that file";
    EXPECT_EQ(plan_of(start + "variant = \"essential\"\n[system.kernel]\npackage=\"\"\n", facts).include, Names{})
        << "no apt";
}

TEST(Packages, ExcludedOnesAreNotAdded) {
    EXPECT_EQ(packages("[system]\nvariant = \"minbase\"\nexclude = [\"udev\", \"locales\"]\n[identity]\nlocale = "
                       "\"de_DE.UTF-8\"\n"),
              (Names{"dbus", "linux-image-cloud-amd64", "systemd-sysv"}));
}

}  // namespace
}  // namespace vprov::plan
