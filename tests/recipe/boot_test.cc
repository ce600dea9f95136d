#include <gtest/gtest.h>

#include "mistakes.h"

namespace vprov::recipe {
namespace {

Recipe with(std::string_view text) {
    return parse(std::string(kGood).append(text), "g1.toml");
}

TEST(Boot, IsDirectUnlessSomethingElseIsAsked) {
    const auto recipe = with("");
    EXPECT_EQ(boot_method(recipe.boot), BootMethod::direct);
    EXPECT_EQ(domain_type(recipe), DomainType::pvh);
    EXPECT_FALSE(recipe.boot.grow);
}

TEST(Boot, AFirmwareStartsGrubInAnHvmDomain) {
    const auto recipe = with("[boot]\nfirmware = \"uefi\"\nsecure_boot = true\ntimeout = 0\ngrow = true\n");
    EXPECT_EQ(boot_method(recipe.boot), BootMethod::grub);
    EXPECT_EQ(recipe.boot.firmware, Firmware::uefi);
    EXPECT_TRUE(recipe.boot.secure_boot);
    EXPECT_EQ(recipe.boot.timeout, 0U);
    EXPECT_TRUE(recipe.boot.grow);
    EXPECT_EQ(domain_type(recipe), DomainType::hvm);
    EXPECT_EQ(domain_type(with("[boot]\nmethod = \"grub\"\n")), DomainType::hvm);
    EXPECT_EQ(domain_type(with("[boot]\nmethod = \"pvgrub\"\n")), DomainType::pvh);
}

TEST(Boot, KeysThatDoNotGoTogetherAreRefused) {
    EXPECT_EQ(mistakes_after_good("[boot]\nmethod = \"pvgrub\"\nfirmware = \"bios\"\n"),
              "g1.toml:8:12: cannot use 'bios' as [boot] firmware: only method \"grub\" is started by a firmware");
    EXPECT_EQ(mistakes_after_good("[boot]\nmethod = \"grub\"\nsecure_boot = true\n"),
              "g1.toml:8:15: cannot use 'true' as [boot] secure_boot: it takes firmware = \"uefi\"");
    EXPECT_EQ(mistakes_after_good("[boot]\ntimeout = 5\nloader = \"/x\"\n"),
              "g1.toml:7:11: cannot use '5' as [boot] timeout: method \"direct\" has no menu\n"
              "g1.toml:8:10: cannot use '/x' as [boot] loader: it is for method \"pvgrub\"");
    EXPECT_EQ(
        mistakes_after_good("[boot]\nmethod = \"grup\"\ntimeout = 3601\n"),
        "g1.toml:7:10: cannot use 'grup' as [boot] method: direct, grub or pvgrub is wanted; did you mean 'grub'?\n"
        "g1.toml:8:11: cannot use '3601' as [boot] timeout: 0 to 3600 seconds are wanted");
}

TEST(Boot, ADomainHasTheTypeThatItsLoaderTakes) {
    EXPECT_EQ(
        mistakes_after_good("[boot]\nmethod = \"grub\"\n[domain]\ntype = \"pvh\"\n"),
        "g1.toml:9:8: cannot use 'pvh' as [domain] type: [boot] method \"grub\" takes \"hvm\", for others there is "
        "\"pvgrub\"");
    EXPECT_EQ(mistakes_after_good("[boot]\nmethod = \"pvgrub\"\n[domain]\ntype = \"hvm\"\n"),
              "g1.toml:9:8: cannot use 'hvm' as [domain] type: [boot] method \"pvgrub\" takes \"pv\" or \"pvh\"");
    EXPECT_EQ(mistakes_after_good("[boot]\nmethod = \"pvgrub\"\n[domain]\ntype = \"pv\"\n"), "none");
}

}  // namespace
}  // namespace vprov::recipe
