#include "plan/repositories.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace vprov::plan {
namespace {

// "URI SUITE COMPONENT... KEYRING", a line for each.
std::string lines(const std::vector<PlannedRepository>& repositories) {
    std::string out;
    for (const auto& repository : repositories) {
        out += repository.uri + " " + repository.suite;
        for (const auto& component : repository.components) out += " " + component;
        out += (repository.trusted ? " trusted" : " " + repository.signed_by.string()) +
               (repository.check_valid_until ? "\n" : " any-age\n");
    }
    return out;
}

std::string planned(const std::string& system, const std::vector<HostRepository>& sources = {}) {
    auto facts = plain_facts({"/r/keys/own.gpg"});
    facts.apt_sources = sources;
    return lines(planned_repositories(recipe_with("[system]\n" + system), facts));
}

const std::string kKeyring = std::string(" ") + kDebianKeyring + "\n";

TEST(Repositories, TheDefaultMirrorWhereNoOtherIsKnown) {
    EXPECT_EQ(planned(""), "http://default.example.org/debian bookworm main" + kKeyring +
                               "http://default.example.org/debian bookworm-updates main" + kKeyring +
                               "http://default.example.org/debian-security bookworm-security main" + kKeyring);
    EXPECT_EQ(planned("updates = false\nsecurity = false\ncomponents = [\"main\", \"contrib\"]\n"),
              "http://default.example.org/debian bookworm main contrib" + kKeyring);
}

TEST(Repositories, TheRecipesMirrorsComeFirst) {
    EXPECT_EQ(planned("mirror = \"http://mirror.example.org/debian/\"\n",
                      {{"http://host.example.org/debian", "bookworm", {"main"}, ""}}),
              "http://mirror.example.org/debian bookworm main" + kKeyring +
                  "http://mirror.example.org/debian bookworm-updates main" + kKeyring +
                  "http://default.example.org/debian-security bookworm-security main" + kKeyring);
    EXPECT_EQ(planned("updates = false\nsecurity_mirror = \"http://mirror.example.org/security\"\n"),
              "http://default.example.org/debian bookworm main" + kKeyring +
                  "http://mirror.example.org/security bookworm-security main" + kKeyring);
}

TEST(Repositories, SuitesWithoutPocketsHaveNone) {
    EXPECT_EQ(planned("suite = \"sid\"\n"), "http://default.example.org/debian sid main" + kKeyring);
    EXPECT_EQ(planned("suite = \"unstable\"\n"), "http://default.example.org/debian unstable main" + kKeyring);
    EXPECT_EQ(planned("suite = \"buster\"\nupdates = false\n"),
              "http://default.example.org/debian buster main" + kKeyring +
                  "http://default.example.org/debian-security buster/updates main" + kKeyring);
}

TEST(Repositories, TheHostsMirrorServesOtherReleasesToo) {
    const std::vector<HostRepository> sources = {
        {"http://old.example.org/debian", "bullseye", {"main"}, ""},
        {"http://host.example.org/debian/", "bookworm", {"main", "contrib"}, kDebianKeyring},
        {"http://host.example.org/debian/", "bookworm-updates", {"main"}, kDebianKeyring},
        {"http://host.example.org/debian-security", "bookworm-security", {"main"}, kDebianKeyring}};
    EXPECT_EQ(planned("suite = \"trixie\"\n", sources),
              "http://host.example.org/debian trixie main" + kKeyring +
                  "http://host.example.org/debian trixie-updates main" + kKeyring +
                  "http://host.example.org/debian-security trixie-security main" + kKeyring);
    EXPECT_EQ(planned("suite = \"bullseye\"\nupdates = false\nsecurity = false\n", sources),
              "http://old.example.org/debian bullseye main" + kKeyring)
        << "the source for the recipe's own release is preferred";
}

TEST(Repositories, ThirdPartiesAreNeverTaken) {
    const std::vector<HostRepository> strangers = {
        {"https://download.example.com/linux/debian", "bookworm", {"stable"}, ""},
        {"https://apt.example.com/debian", "bookworm", {"main"}, "/etc/apt/keyrings/example.gpg"},
        {"https://apt.example.com/debian", "bookworm", {"main"}, "0123456789ABCDEF0123456789ABCDEF01234567"},
        {"https://apt.example.com/debian", "bookworm", {"main"}, "\n-----BEGIN PGP PUBLIC KEY BLOCK-----"},
        {"https://packages.example.com/apt", "cloud-sdk-bookworm", {"main"}, ""},
        {"https://deb.example.com/node_20.x", "nodistro", {"main"}, ""},
        {"https://apt.example.com/pgdg", "bookworm-pgdg", {"main"}, ""},
        {"https://me:secret@apt.example.com/debian", "bookworm", {"main"}, kDebianKeyring},
        {"cdrom:[Debian]/", "bookworm", {"main"}, ""},
        {"mirror+file:/etc/apt/mirrors.txt", "bookworm", {"main"}, kDebianKeyring},
        {"http://archive.debian.org/debian", "jessie", {"main"}, ""},
        {"http://archive.example.org/ubuntu", "noble", {"main"}, ""}};
    EXPECT_EQ(planned("updates = false\nsecurity = false\n", strangers),
              "http://default.example.org/debian bookworm main" + kKeyring);
    for (const auto& stranger : strangers)
        EXPECT_EQ(planned("updates = false\nsecurity = false\n", {stranger}),
                  "http://default.example.org/debian bookworm main" + kKeyring)
            << stranger.uri;
    EXPECT_EQ(planned("suite = \"jessie\"\nupdates = false\nsecurity = false\n", strangers),
              "http://archive.debian.org/debian jessie main" + kKeyring);
}

TEST(Repositories, AKeyInASourceIsComparedWithTheDistributions) {
    const std::string key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mANvbmU=\n -----END PGP PUBLIC KEY BLOCK-----";
    auto facts = plain_facts();
    facts.apt_sources = {{"http://vendor.example.com/debian", "bookworm", {"main"}, ""},
                         {"http://host.example.org/debian", "bookworm", {"main"}, key}};
    const auto with_keyring = [&](const std::string& keyring) {
        facts.read_file = [&](const std::filesystem::path& path) {
            EXPECT_EQ(path, kDebianKeyring);
            return keyring;
        };
        return lines(planned_repositories(recipe_with("[system]\nupdates = false\nsecurity = false\n"), facts));
    };
    EXPECT_EQ(with_keyring("\x98\x03two\x98\x03one"), "http://host.example.org/debian bookworm main" + kKeyring);
    EXPECT_EQ(with_keyring("\x98\x03two"), "http://vendor.example.com/debian bookworm main" + kKeyring);
}

TEST(Repositories, ASourceBoundToTheDistributionsKeyIsPreferred) {
    EXPECT_EQ(
        planned("updates = false\nsecurity = false\n", {{"http://vendor.example.com/debian", "bookworm", {"main"}, ""},
                                                        {"http://host.example.org/debian",
                                                         "bookworm",
                                                         {"main"},
                                                         "/usr/share/keyrings/debian-archive-bookworm-stable.gpg"}}),
        "http://host.example.org/debian bookworm main" + kKeyring);
}

TEST(Repositories, TheRecipesOwnFollowThoseOfTheDistribution) {
    EXPECT_EQ(
        planned(
            "updates = false\nsecurity = false\n"
            "[[system.repository]]\nuri = \"http://a.example.org/apt/\"\nsuite = \"x\"\nsigned_by = \"keys/own.gpg\"\n"
            "[[system.repository]]\nuri = \"http://b.example.org/apt\"\nsuite = \"y\"\ntrusted = "
            "true\ncheck_valid_until = false\n"
            "[[system.repository]]\nuri = \"http://c.example.org/debian\"\nsuite = \"bookworm-backports\"\n"),
        "http://default.example.org/debian bookworm main" + kKeyring +
            "http://a.example.org/apt x main /r/keys/own.gpg\n" + "http://b.example.org/apt y main trusted any-age\n" +
            "http://c.example.org/debian bookworm-backports main" + kKeyring);
}

TEST(Repositories, UbuntuHasItsOwnKeyringAndNeedsAMirror) {
    EXPECT_EQ(planned("distribution = \"ubuntu\"\nsuite = \"noble\"\nmirror = \"http://archive.example.org/ubuntu\"\n"),
              std::string("http://archive.example.org/ubuntu noble main ") + kUbuntuKeyring + "\n" +
                  "http://archive.example.org/ubuntu noble-updates main " + kUbuntuKeyring + "\n" +
                  "http://archive.example.org/ubuntu noble-security main " + kUbuntuKeyring + "\n");
    EXPECT_EQ(plan_error("[system]\ndistribution = \"ubuntu\"\nsuite = \"noble\"\n"),
              "/r/g1.toml: cannot choose a mirror for 'ubuntu': this host has none in its apt sources; name one with "
              "[system] mirror");
}

TEST(Repositories, AMissingKeyringSaysWhereItComesFrom) {
    auto facts = plain_facts();
    facts.file_exists = [](const std::filesystem::path&) { return false; };
    EXPECT_EQ(plan_error("", facts),
              "/r/g1.toml: cannot find the keyring of 'debian', '/usr/share/keyrings/debian-archive-keyring.gpg': "
              "install the package "
              "debian-archive-keyring, or name a keyring with [system] keyring");
    EXPECT_EQ(plan_error("[system]\nkeyring = \"k.gpg\"\n", facts),
              "/r/g1.toml: cannot use 'k.gpg' as [system] keyring: there is no file '/r/k.gpg'");
    EXPECT_EQ(plan_error("[[system.repository]]\nuri=\"http://a.example.org\"\nsuite=\"x\"\nsigned_by=\"no.gpg\"\n"),
              "/r/g1.toml: cannot use 'no.gpg' as [[system.repository]] signed_by: there is no file '/r/no.gpg'");
}

TEST(Repositories, ASuiteThatOnlyAddsIsRefused) {
    EXPECT_EQ(plan_error("[system]\nsuite = \"bookworm-backports\"\n"),
              "/r/g1.toml: cannot use 'bookworm-backports' as [system] suite: it only adds to 'bookworm'; take that, "
              "and name "
              "'bookworm-backports' in a [[system.repository]]");
    EXPECT_EQ(plan_error("[system]\nsuite = \"experimental\"\n"),
              "/r/g1.toml: cannot use 'experimental' as [system] suite: it only adds to 'sid'; take that, and name "
              "'experimental' in a "
              "[[system.repository]]");
}

}  // namespace
}  // namespace vprov::plan
