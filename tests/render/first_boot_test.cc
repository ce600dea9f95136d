#include "config-render/first_boot.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "config-render/network.h"
#include "config-render/timezone.h"
#include "os/temp_dir.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

plan::Plan template_plan() {
    auto plan = sample_plan();
    plan.recipe.identity.is_template = true;
    plan.machine_id.clear();
    plan.hostname = plan.fqdn = "localhost";
    return plan;
}

TEST(FirstBoot, ATemplateHasAServiceAndNoNameAndNoMachineId) {
    const auto files = late_guest_files(template_plan());
    EXPECT_EQ(file_at(files, "/etc/machine-id"), (GuestFile{"/etc/machine-id", ""}));
    EXPECT_EQ(file_at(files, "/etc/hostname"), (GuestFile{"/etc/hostname", ""}));
    EXPECT_EQ(file_at(files, "/usr/lib/vprov/first-boot").mode, 0755U);
    EXPECT_EQ(file_at(files, "/var/lib/vprov/first-boot").content, "");
    const auto unit = file_at(files, "/etc/systemd/system/vprov-first-boot.service").content;
    EXPECT_NE(unit.find("ConditionPathExists=/var/lib/vprov/first-boot\n"), std::string::npos);
    const auto enabled = file_at(files, "/etc/systemd/system/sysinit.target.wants/vprov-first-boot.service");
    EXPECT_TRUE(enabled.is_link);
    EXPECT_EQ(enabled.content, "/etc/systemd/system/vprov-first-boot.service");
    EXPECT_EQ(file_at(files, "/etc/hosts").content.substr(0, 21), "127.0.0.1\tlocalhost\n\n");
}

TEST(FirstBoot, ANameThatTheRecipeGivesStays) {
    auto plan = template_plan();
    plan.recipe.identity.hostname = plan.hostname = plan.fqdn = "appliance";
    const auto files = late_guest_files(plan);
    EXPECT_EQ(file_at(files, "/etc/hostname").content, "appliance\n");
    EXPECT_EQ(file_at(files, "/etc/hosts").content.find("127.0.1.1\tappliance\n"), 20U);
}

// No MAC address of a copy is known before it starts.
TEST(FirstBoot, InterfacesOfAnyCardAreKnownByTheNamesThatTheyGet) {
    auto plan = template_plan();
    plan.interfaces.front().any_card = true;
    plan.interfaces.push_back(vlan_interface());
    plan.interfaces.push_back(static_interface("wan"));
    const auto files = late_guest_files(plan, {"ifupdown", "systemd"});
    EXPECT_EQ(file_at(files, "/var/lib/vprov/first-boot").content, "lan0\n");
    EXPECT_NE(file_at(files, "/etc/network/interfaces")
                  .content.find("# named at the first boot, by /etc/systemd/network/10-lan0.link\n"),
              std::string::npos);
    const auto links = link_files(plan);
    ASSERT_EQ(links.size(), 1U);
    EXPECT_EQ(links.front().path, "/etc/systemd/network/10-wan.link");
    const auto network = file_at(late_guest_files(plan, {"systemd"}), "/etc/systemd/network/10-lan0.network").content;
    EXPECT_EQ(network.substr(0, network.find("\n\n")), "[Match]\nName=lan0");
    const auto netplan =
        file_at(late_guest_files(plan, {"systemd", "netplan.io"}), "/etc/netplan/01-vprov.yaml").content;
    EXPECT_NE(netplan.find("  ethernets:\n    lan0:\n      dhcp4: true\n"), std::string::npos) << netplan;
}

TEST(FirstBoot, NothingOfItIsInAGuest) {
    EXPECT_EQ(file_at(late_guest_files(sample_plan()), "/var/lib/vprov/first-boot").content, "(not there)");
}

TEST(FirstBoot, KeysAndSeedsAreRemoved) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    const os::RootDir root(work.path());
    for (const auto* path : {"/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub", "/etc/ssh/sshd_config",
                             "/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed"})
        root.write(path, "x");
    remove_host_keys(root);
    remove_random_seeds(root);
    std::vector<std::string> left;
    for (const auto& entry : fs::recursive_directory_iterator(work.path()))
        if (entry.is_regular_file())
            left.push_back(entry.path().lexically_relative(work.path()).native());
    EXPECT_EQ(left, std::vector<std::string>{"etc/ssh/sshd_config"});
}

TEST(Timezone, IsOneOfTheGuests) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    const os::RootDir root(work.path());
    root.write("/usr/share/zoneinfo/Europe/Berlin", "TZif");
    auto plan = sample_plan();
    const auto message = [&](const char* zone) -> std::string {
        plan.recipe.identity.timezone = zone;
        try {
            check_timezone(root, plan);
        } catch (const Error& e) {
            return e.message();
        }
        return "none";
    };
    EXPECT_EQ(message("Europe/Berlin"), "none");
    EXPECT_EQ(message("UTC"), "none");
    EXPECT_EQ(message("Europe/Berlim"),
              "cannot use 'Europe/Berlim' as [identity] timezone: the guest's tzdata has no such zone; did you mean "
              "'Europe/Berlin'?");
    EXPECT_EQ(message("Mars/Olympus"),
              "cannot use 'Mars/Olympus' as [identity] timezone: the guest's tzdata has no such zone");
}

}  // namespace
}  // namespace vprov::render
