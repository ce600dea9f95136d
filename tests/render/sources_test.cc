#include "config-render/sources.h"

#include <gtest/gtest.h>

#include "render/sample_plan.h"

namespace vprov::render {
namespace {

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

plan::Plan plan_for(const std::string& suite) {
    auto plan = sample_plan();
    plan.recipe.system.suite = suite;
    plan.repositories = {
        {"http://mirror.example.org/debian", suite, {"main", "contrib"}, kKeyring, false, true},
        {"http://mirror.example.org/debian", suite + "-updates", {"main", "contrib"}, kKeyring, false, true},
        {"http://mirror.example.org/debian-security", suite + "-security", {"main", "contrib"}, kKeyring, false, true}};
    return plan;
}

plan::PlannedRepository own(const std::string& uri, const std::filesystem::path& keyring) {
    return {uri, "stable", {"main"}, keyring, false, true};
}

void add_own(plan::Plan& plan, const plan::PlannedRepository& repository) {
    plan.repositories.push_back(repository);
    plan.recipe.system.repositories.emplace_back();
}

TEST(Sources, OneLineFormUpToBookworm) {
    EXPECT_EQ(
        source_files(plan_for("bookworm")),
        (std::vector<GuestFile>{
            {"/etc/apt/sources.list",
             "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example.org/debian bookworm "
             "main contrib\n"
             "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example.org/debian "
             "bookworm-updates main contrib\n"
             "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example.org/debian-security "
             "bookworm-security main contrib\n"}}));
}

TEST(Sources, Deb822FromTrixieOn) {
    EXPECT_EQ(source_files(plan_for("trixie")),
              (std::vector<GuestFile>{{"/etc/apt/sources.list.d/debian.sources",
                                       "Types: deb\n"
                                       "URIs: http://mirror.example.org/debian\n"
                                       "Suites: trixie trixie-updates\n"
                                       "Components: main contrib\n"
                                       "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
                                       "\n"
                                       "Types: deb\n"
                                       "URIs: http://mirror.example.org/debian-security\n"
                                       "Suites: trixie-security\n"
                                       "Components: main contrib\n"
                                       "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"}}));
}

TEST(Sources, UbuntusKeyringAndFile) {
    auto plan = plan_for("noble");
    plan.recipe.system.distribution = "ubuntu";
    plan.repositories.resize(1);
    plan.repositories[0].signed_by = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
    EXPECT_EQ(source_files(plan),
              (std::vector<GuestFile>{{"/etc/apt/sources.list.d/ubuntu.sources",
                                       "Types: deb\n"
                                       "URIs: http://mirror.example.org/debian\n"
                                       "Suites: noble\n"
                                       "Components: main contrib\n"
                                       "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"}}));
}

TEST(Sources, WhatOnlyThisHostReachesBecomesTheDefaultMirror) {
    auto plan = plan_for("bookworm");
    plan.repositories[0].uri = "file:/srv/mirror/debian";
    plan.repositories[1].uri = "http://localhost:3142/debian";
    plan.repositories[2].uri = "http://127.0.0.1/debian-security";
    for (auto& repository : plan.repositories) repository.signed_by.clear();
    const auto text = source_files(plan).at(0).content;
    EXPECT_EQ(text, "deb " VPROV_DEFAULT_MIRROR
                    " bookworm main contrib\n"
                    "deb " VPROV_DEFAULT_MIRROR
                    " bookworm-updates main contrib\n"
                    "deb " VPROV_DEFAULT_SECURITY_MIRROR " bookworm-security main contrib\n");
}

TEST(Sources, OwnAuthoritiesAreForTheirHostsOnly) {
    auto plan = plan_for("bookworm");
    plan.recipe.file = "/r/g1.toml";
    plan.recipe.system.ca_certificates = "ca.pem";
    EXPECT_EQ(source_files(plan).size(), 1U) << "none is reached by HTTPS";
    plan.repositories[0].uri = "https://mirror.example.org:8443/debian";
    plan.repositories[1].uri = "https://[2001:db8::1]:8443/debian";
    plan.repositories[2].uri = "https://localhost/debian";
    const auto files = source_files(plan);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[1], (GuestFile{"/etc/apt/apt.conf.d/80mirror-ca",
                                   "Acquire::https::[2001:db8::1]::CaInfo \"/etc/apt/mirror-ca.pem\";\n"
                                   "Acquire::https::mirror.example.org::CaInfo \"/etc/apt/mirror-ca.pem\";\n"}));
    EXPECT_EQ(files[2].path, "/etc/apt/mirror-ca.pem");
    EXPECT_EQ(files[2].source, "/r/ca.pem");
}

TEST(Sources, KeysOfSourcesBecomeFiles) {
    auto plan = plan_for("bookworm");
    plan.repositories.resize(1);
    plan.repositories[0].signed_by.clear();
    plan.repositories[0].embedded_key = "key 1\n";
    for (const auto* uri : {"http://mirror.example.org:8080/a", "http://[2001:db8::1]/b"}) {
        auto more = plan.repositories[0];
        more.uri = uri;
        more.embedded_key += "more\n";
        plan.repositories.push_back(more);
    }
    plan.repositories[2].embedded_key = "key 3\n";
    const auto files = source_files(plan);
    ASSERT_EQ(files.size(), 4U);
    EXPECT_EQ(files[0].content,
              "deb [signed-by=/etc/apt/keyrings/mirror.example.org.asc] http://mirror.example.org/debian bookworm main "
              "contrib\n"
              "deb [signed-by=/etc/apt/keyrings/mirror.example.org-8080.asc] http://mirror.example.org:8080/a bookworm "
              "main contrib\n"
              "deb [signed-by=/etc/apt/keyrings/-2001-db8--1-.asc] http://[2001:db8::1]/b bookworm main contrib\n");
    EXPECT_EQ(files[1], (GuestFile{"/etc/apt/keyrings/mirror.example.org.asc", "key 1\n"}));
    EXPECT_EQ(files[2], (GuestFile{"/etc/apt/keyrings/mirror.example.org-8080.asc", "key 1\nmore\n"}));
    EXPECT_EQ(files[3].content, "key 3\n");
}

TEST(Sources, OwnRepositoriesStandApartWithTheirKeyrings) {
    auto plan = plan_for("bookworm");
    add_own(plan, own("https://a.example.org/apt", "/host/a/key.gpg"));
    add_own(plan, own("https://b.example.org/apt", "/host/b/key.gpg"));
    add_own(plan, own("file:/srv/packages", ""));
    plan.repositories[3].check_valid_until = false;
    plan.repositories[5].trusted = true;
    const auto files = source_files(plan);
    ASSERT_EQ(files.size(), 4U);
    EXPECT_EQ(files[1].path, "/etc/apt/sources.list.d/vprov.sources");
    EXPECT_EQ(files[1].content,
              "Types: deb\n"
              "URIs: https://a.example.org/apt\n"
              "Suites: stable\n"
              "Components: main\n"
              "Signed-By: /etc/apt/keyrings/key.gpg\n"
              "Check-Valid-Until: no\n"
              "\n"
              "Types: deb\n"
              "URIs: https://b.example.org/apt\n"
              "Suites: stable\n"
              "Components: main\n"
              "Signed-By: /etc/apt/keyrings/key-2.gpg\n"
              "\n"
              "Types: deb\n"
              "URIs: file:/srv/packages\n"
              "Suites: stable\n"
              "Components: main\n"
              "Enabled: no\n"
              "Trusted: yes\n");
    EXPECT_EQ(files[2].path, "/etc/apt/keyrings/key.gpg");
    EXPECT_EQ(files[2].source, "/host/a/key.gpg");
    EXPECT_EQ(files[3].path, "/etc/apt/keyrings/key-2.gpg");
    EXPECT_EQ(files[3].source, "/host/b/key.gpg");
}

TEST(Sources, OptionsOfTheOneLineForm) {
    auto plan = plan_for("bookworm");
    plan.repositories.resize(1);
    plan.repositories[0].trusted = true;
    plan.repositories[0].check_valid_until = false;
    plan.repositories[0].signed_by = "/srv/keys/own.gpg";
    EXPECT_EQ(
        source_files(plan).at(0).content,
        "deb [signed-by=/etc/apt/keyrings/own.gpg trusted=yes check-valid-until=no] http://mirror.example.org/debian "
        "bookworm main contrib\n");
}

}  // namespace
}  // namespace vprov::render
