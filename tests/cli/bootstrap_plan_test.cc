#include "cli/bootstrap_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::cli {
namespace {

plan::HostFacts facts() {
    plan::HostFacts host;
    host.now = 1'700'000'000;
    host.architecture = "amd64";
    host.default_mirror = "http://mirror.example.org/debian";
    host.default_security_mirror = "http://security.example.org/debian-security";
    host.file_exists = [](const std::filesystem::path& path) {
        return path == "/usr/share/keyrings/debian-archive-keyring.gpg";
    };
    return host;
}

BootstrapCommand command_for(std::string suite, CalledAs name = CalledAs::debootstrap) {
    BootstrapCommand command;
    command.called_as = name;
    command.updates = name == CalledAs::vprov;
    command.suite = std::move(suite);
    command.target = "/srv/tree";
    return command;
}

std::string repositories_of(const BootstrapCommand& command) {
    std::string text;
    for (const auto& one : plan_tree(command, facts()).repositories)
        text += fmt::format("{} {} {}{}\n", one.uri, one.suite, one.signed_by.filename().native(),
                            one.trusted ? "trusted" : "");
    return text;
}

TEST(BootstrapPlan, DebootstrapKnowsOneSuiteAndThoseThatItIsTold) {
    auto command = command_for("bookworm");
    EXPECT_EQ(repositories_of(command), "http://mirror.example.org/debian bookworm debian-archive-keyring.gpg\n");
    command.mirror = "http://other.example.org/debian/";
    command.extra_suites = {"bookworm-updates", "bookworm-backports"};
    EXPECT_EQ(repositories_of(command),
              "http://other.example.org/debian bookworm debian-archive-keyring.gpg\n"
              "http://other.example.org/debian bookworm-updates debian-archive-keyring.gpg\n"
              "http://other.example.org/debian bookworm-backports debian-archive-keyring.gpg\n");
}

TEST(BootstrapPlan, ByItsOwnNameUpdatesAndFixesComeIn) {
    EXPECT_EQ(repositories_of(command_for("bookworm", CalledAs::vprov)),
              "http://mirror.example.org/debian bookworm debian-archive-keyring.gpg\n"
              "http://mirror.example.org/debian bookworm-updates debian-archive-keyring.gpg\n"
              "http://security.example.org/debian-security bookworm-security debian-archive-keyring.gpg\n");
}

TEST(BootstrapPlan, WithoutACheckNoKeyringIsLookedFor) {
    auto command = command_for("noble");
    command.mirror = "http://mirror.example.org/ubuntu";
    command.signature_check = SignatureCheck::off;
    EXPECT_EQ(repositories_of(command), "http://mirror.example.org/ubuntu noble trusted\n");
    command.signature_check = SignatureCheck::wanted;
    try {
        plan_tree(command, facts());
        FAIL() << "there is no keyring";
    } catch (const Error& e) {
        EXPECT_EQ(
            e.message(),
            "the command line: cannot find the keyring of 'ubuntu', '/usr/share/keyrings/ubuntu-archive-keyring.gpg': "
            "install the package ubuntu-keyring, or name a keyring with [system] keyring");
    }
}

TEST(BootstrapPlan, DebootstrapAddsWhatHttpsNeeds) {
    auto command = command_for("bookworm");
    command.mirror = "https://mirror.example.org/debian";
    using Names = std::vector<std::string>;
    EXPECT_EQ(plan_tree(command, facts()).include, (Names{"ca-certificates"}));
    command.suite = "stretch";
    command.include = {"vim"};
    EXPECT_EQ(plan_tree(command, facts()).include, (Names{"vim", "ca-certificates", "apt-transport-https"}));
    command.called_as = CalledAs::vprov;
    EXPECT_EQ(plan_tree(command, facts()).include, (Names{"vim"}));
}

TEST(BootstrapPlan, IsForAnyArchitecture) {
    auto command = command_for("bookworm");
    EXPECT_EQ(plan_tree(command, facts()).architecture, "amd64");
    command.arch = "riscv64";
    EXPECT_EQ(plan_tree(command, facts()).architecture, "riscv64");
}

TEST(BootstrapPlan, UsrIsMergedButWhereDebootstrapDoesNot) {
    const auto layout = [](std::string suite, std::string variant, CalledAs name) {
        auto command = command_for(std::move(suite), name);
        command.variant = std::move(variant);
        return usr_layout(command);
    };
    using configure::UsrLayout;
    EXPECT_EQ(layout("bookworm", "-", CalledAs::debootstrap), UsrLayout::merged);
    EXPECT_EQ(layout("bookworm", "buildd", CalledAs::debootstrap), UsrLayout::split_for_good);
    EXPECT_EQ(layout("bullseye", "buildd", CalledAs::debootstrap), UsrLayout::split);
    EXPECT_EQ(layout("trixie", "buildd", CalledAs::debootstrap), UsrLayout::merged);
    EXPECT_EQ(layout("stretch", "minbase", CalledAs::debootstrap), UsrLayout::split);
    EXPECT_EQ(layout("bookworm", "buildd", CalledAs::vprov), UsrLayout::merged);
    auto command = command_for("trixie", CalledAs::vprov);
    command.merged_usr = false;
    EXPECT_EQ(usr_layout(command), UsrLayout::split_for_good);
}

}  // namespace
}  // namespace vprov::cli
