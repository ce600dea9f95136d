#include "plan/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "facts.h"

namespace vprov::plan {
namespace {

TEST(Plan, DecidesNamesAndPlaces) {
    const auto plan = plan_of("[identity]\ndomain = \"example.org\"\n");
    EXPECT_EQ(plan.name, "g1");
    EXPECT_EQ(plan.architecture, "amd64");
    EXPECT_EQ(plan.hostname, "g1");
    EXPECT_EQ(plan.fqdn, "g1.example.org");
    EXPECT_EQ(plan.output, "/out/g1");
    EXPECT_EQ(plan.cache, "/cache");
    EXPECT_EQ(plan_of("[identity]\nhostname = \"other\"\n").fqdn, "other");
    const auto here = make_plan(recipe_with(), plain_facts(), {});
    EXPECT_EQ(here.output, std::filesystem::current_path() / "out/g1");
    EXPECT_TRUE(here.cache.empty());
}

TEST(Plan, TheSameRecipeGivesTheSameIdentifiers) {
    const auto plan = plan_of("[[network]]\n");
    const auto again = plan_of("[[network]]\n");
    EXPECT_EQ(plan.layout, again.layout);
    EXPECT_EQ(plan.interfaces, again.interfaces);
    EXPECT_EQ(plan.guest_uuid, again.guest_uuid);
    EXPECT_EQ(plan.layout.root().uuid, Uuid::derived("g1", "disk root"));
    auto recipe = recipe_with("[[network]]\n");
    recipe.seed = "other";
    const auto other = make_plan(recipe, plain_facts(), {"/out", "/cache"});
    EXPECT_NE(other.layout.root().uuid, plan.layout.root().uuid);
    EXPECT_NE(other.guest_uuid, plan.guest_uuid);
    EXPECT_NE(other.interfaces[0].mac, plan.interfaces[0].mac);
}

TEST(Plan, DerivedMacsAreInXensRangeAndDiffer) {
    std::vector<std::string> seen;
    for (unsigned index = 0; index < 64; ++index) {
        const auto mac = derived_mac("debian1", index);
        EXPECT_EQ(mac.substr(0, 9), "00:16:3e:");
        EXPECT_LT(mac[9], '8') << "Xen has the lower half of the range: " << mac;
        EXPECT_EQ(mac.size(), 17U);
        EXPECT_EQ(std::count(seen.begin(), seen.end(), mac), 0) << mac;
        seen.push_back(mac);
    }
    EXPECT_EQ(derived_mac("debian1", 0), "00:16:3e:51:41:9a");
}

TEST(Plan, InterfacesAreTheRecipes) {
    const auto plan = plan_of(
        "[[network]]\nbridge=\"br0\"\nmac=\"AA:00:00:12:23:34\"\naddress=\"192.0.2.7/24\"\n"
        "gateway=\"192.0.2.1\"\ndns=[\"192.0.2.53\"]\n[[network]]\n");
    ASSERT_EQ(plan.interfaces.size(), 2U);
    EXPECT_EQ(plan.interfaces[0],
              (Interface{"aa:00:00:12:23:34", "br0", {"192.0.2.7/24"}, {"192.0.2.1"}, {"192.0.2.53"}, "lan0"}));
    EXPECT_EQ(plan.interfaces[1], (Interface{derived_mac("g1", 1), "", {"dhcp"}, {}, {}, "lan1"}));
}

TEST(Plan, DisksGetNamesDevicesAndOptions) {
    const auto plan = plan_of(
        "[[disk]]\nsize=\"64M\"\nfilesystem=\"swap\"\n"
        "[[disk]]\nsize=\"64M\"\nfilesystem=\"ext2\"\nmount=\"/var/log\"\nguest=\"xvda2\"\nlabel=\"logs\"\n"
        "[[disk]]\nsize=\"64M\"\nfilesystem=\"ext3\"\nmount=\"/srv\"\nname=\"data\"\noptions=\"noatime\"\n");
    const auto drawn = partition::describe(plan.layout);
    const auto uuid = [](const char* role) { return Uuid::derived("g1", role).text(); };
    EXPECT_EQ(drawn, "root.img     xvda1   1G  ext4  /         UUID=" + uuid("disk root") +
                         "\n"
                         "swap.img     xvda3  64M  swap  -         UUID=" +
                         uuid("disk swap") +
                         "\n"
                         "var-log.img  xvda2  64M  ext2  /var/log  UUID=" +
                         uuid("disk var-log") +
                         "  LABEL=logs\n"
                         "data.img     xvda4  64M  ext3  /srv      UUID=" +
                         uuid("disk data") + "\n");
    std::vector<std::string> options;
    for (const auto* volume : plan.layout.volumes())
        options.push_back(fmt::format("{} {}", volume->options, volume->pass));
    EXPECT_EQ(options, (std::vector<std::string>{"errors=remount-ro 1", "sw 0", "defaults 2", "noatime 2"}));
}

TEST(Plan, WhatCannotBeOnThisHostIsRefused) {
    EXPECT_EQ(plan_error("[[disk]]\nsize=\"1M\"\nfilesystem=\"swap\"\nguest=\"xvdb\"\n"
                         "[[disk]]\nsize=\"8M\"\nfilesystem=\"ext4\"\nmount=\"/a\"\nguest=\"xvdb3\"\n"),
              "/r/g1.toml: cannot plan the guest devices 'xvdb3' and 'xvdb' together: one is a part of the other");
    EXPECT_EQ(plan_error("[system.kernel]\npath = \"vmlinuz\"\n"),
              "/r/g1.toml: cannot use 'vmlinuz' in [system.kernel]: there is no file '/r/vmlinuz'");
}

TEST(Plan, DisksOfARecipeThatWasNotParsedAreCheckedToo) {
    const auto error_of = [](const recipe::Recipe& recipe) -> std::string {
        try {
            make_plan(recipe, plain_facts(), {"/out", "/cache"});
        } catch (const Error& e) {
            return e.message();
        }
        return "none";
    };
    auto recipe = recipe_with();
    recipe.disks.push_back(recipe.disks[0]);
    EXPECT_EQ(error_of(recipe), "/r/g1.toml: cannot plan two disks with the name 'root'");
    recipe.disks[1].name = "other";
    EXPECT_EQ(error_of(recipe), "/r/g1.toml: cannot plan two disks with the mount point '/'");
    recipe.disks[1].mount = "/srv";
    recipe.disks[0].guest = recipe.disks[1].guest = "xvda5";
    EXPECT_EQ(error_of(recipe), "/r/g1.toml: cannot plan two disks with the guest device 'xvda5'");
    recipe.disks.erase(recipe.disks.begin());
    EXPECT_EQ(error_of(recipe), "/r/g1.toml: cannot plan the disks: none is mounted at '/'");
    recipe.disks[0].size.reset();
    EXPECT_EQ(error_of(recipe),
              "/r/g1.toml: cannot plan a disk without a size, a file system and a mount point or name");
}

TEST(Plan, AuthoritiesMustBeThere) {
    EXPECT_EQ(plan_error("[system]\nca_certificates = \"ca.pem\"\n"),
              "/r/g1.toml: cannot use 'ca.pem' as [system] ca_certificates: there is no file '/r/ca.pem'");
}

TEST(Plan, TheKernelFindsItsRoot) {
    const auto uuid = Uuid::derived("g1", "disk root").text();
    EXPECT_EQ(plan_of("").kernel_cmdline, "root=UUID=" + uuid + " ro console=hvc0");
    EXPECT_EQ(plan_of("[system.kernel]\ncmdline = \"panic=10 quiet\"\n").kernel_cmdline,
              "root=UUID=" + uuid + " ro console=hvc0 panic=10 quiet");
    const auto facts = plain_facts({"/boot/vmlinuz", "/boot/initrd"});
    EXPECT_EQ(plan_of("[system.kernel]\npath = \"/boot/vmlinuz\"\ninitrd = \"/boot/initrd\"\n", facts).kernel_cmdline,
              "root=UUID=" + uuid + " ro console=hvc0");
    EXPECT_EQ(plan_of("[system.kernel]\npath = \"/boot/vmlinuz\"\n", facts).kernel_cmdline,
              "root=/dev/xvda1 ro console=hvc0")
        << "without an initrd nobody looks for the UUID";
}

}  // namespace
}  // namespace vprov::plan
