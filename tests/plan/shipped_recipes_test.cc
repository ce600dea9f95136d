#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "facts.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "plan/describe.h"

namespace vprov::plan {
namespace {
namespace fs = std::filesystem;

std::set<fs::path> shipped_recipes() {
    std::set<fs::path> recipes;
    for (const auto& entry : fs::directory_iterator(fs::path(VPROV_SOURCE_DIR) / "recipes"))
        if (entry.path().extension() == ".toml")
            recipes.insert(entry.path());
    return recipes;
}

// VPROV_ACCEPT=1 in the environment writes what was planned into tests/plan/golden instead of comparing with it.
void expect_golden(const std::string& name, const std::string& actual) {
    const auto file = fs::path(VPROV_TEST_DATA) / "golden" / (name + ".txt");
    if (std::getenv("VPROV_ACCEPT"))
        os::write_file(file, actual);
    ASSERT_TRUE(fs::exists(file)) << file << " is missing; VPROV_ACCEPT=1 writes it";
    EXPECT_EQ(os::read_file(file), actual) << "VPROV_ACCEPT=1 accepts the new plan";
}

TEST(ShippedRecipes, AreAllPlanned) {
    const auto recipes = shipped_recipes();
    EXPECT_TRUE(recipes.contains(fs::path(VPROV_SOURCE_DIR) / "recipes/debian1.toml"));
    for (const auto& file : recipes) {
        const auto plan =
            make_plan(recipe::read(file), plain_facts({kRemovedKeyring}), {"/out", "/cache", HostFiles::not_wanted});
        if (file.stem() != "etch-listing1") {
            EXPECT_EQ(plan.name, file.stem()) << "a recipe is found by the name of its guest";
        }
        expect_golden(file.stem(), describe(plan));
        for (const auto format : {hypervisor::Format::xl, hypervisor::Format::xm})
            EXPECT_NE(hypervisor::configuration_of(guest_of(plan), format).text, "");  // it reads itself back
    }
}

TEST(Describe, ShowsEverythingThatARecipeCanSayAndNoSecret) {
    const auto hash = "$6$saltsalt$" + std::string(86, 'x');
    const auto plan = plan_of(
        "[system]\nexclude = [\"nano\"]\nrecommends = true\n"
        "include = [\"package-with-a-long-name-1\", \"package-with-a-long-name-2\", \"package-with-a-long-name-3\", "
        "\"package-with-a-long-name-4\"]\n"
        "[[system.repository]]\nuri=\"http://a.example.org\"\nsuite=\"x\"\ntrusted=true\ncheck_valid_until=false\n"
        "[system.kernel]\npath=\"/boot/vmlinuz\"\n"
        "[identity]\nhostname=\"www\"\ndomain=\"example.org\"\nkeyboard=\"de\"\nroot_password={hash=\"" +
            hash +
            "\"}\n"
            "authorized_keys=[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP "
            "me\"]\n"
            "[[identity.user]]\nname=\"a\"\nsudo=true\ngroups=[\"adm\", \"src\"]\n"
            "[[identity.user]]\nname=\"b\"\npassword={hash_file=\"b.hash\"}\n"
            "[domain]\nmaxmem=\"1G\"\n",
        plain_facts({"/boot/vmlinuz"}));
    expect_golden("everything", describe(plan));
    EXPECT_EQ(describe(plan).find(hash), std::string::npos);
}

}  // namespace
}  // namespace vprov::plan
