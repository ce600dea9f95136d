#include "plan/suites.h"

#include <algorithm>
#include <array>

namespace vprov::plan {
namespace {

constexpr std::array<std::string_view, 4> kAdditions = {"-backports", "-backports-sloppy", "-proposed-updates",
                                                        "-proposed"};
constexpr std::array<std::string_view, 3> kPockets = {"-updates", "-security", "/updates"};

// Rolling: a fix is an upload to the suite itself, so neither -updates nor -security exists.
constexpr std::array<std::string_view, 4> kRolling = {"sid", "unstable", "experimental", "rc-buggy"};

// Until buster the security archive named its suites RELEASE/updates.
constexpr std::array<std::string_view, 4> kSlashUpdates = {"wheezy", "jessie", "stretch", "buster"};

// And Ubuntu's releases before 23.04: there systemd-resolved was part of systemd, and the DHCP client ISC's.
constexpr std::array<std::string_view, 10> kBeforeBookworm = {"wheezy", "jessie", "stretch", "buster", "bullseye",
                                                              "trusty", "xenial", "bionic",  "focal",  "jammy"};

constexpr std::array<std::string_view, 13> kDebian = {"wheezy",    "jessie",       "stretch", "buster", "bullseye",
                                                      "bookworm",  "trixie",       "forky",   "duke",   "stable",
                                                      "oldstable", "oldoldstable", "testing"};
constexpr std::array<std::string_view, 8> kUbuntu = {"trusty", "xenial", "bionic", "focal",
                                                     "jammy",  "noble",  "plucky", "questing"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template <std::size_t N>
std::string_view without_any(const std::array<std::string_view, N>& endings, std::string_view suite) {
    for (const auto ending : endings)
        if (suite.size() > ending.size() && suite.ends_with(ending))
            return suite.substr(0, suite.size() - ending.size());
    return suite;
}

}  // namespace

Pockets pockets_of(std::string_view distribution, std::string_view suite) {
    const std::string release(suite);
    if (distribution == "debian" && holds(kRolling, suite))
        return {};
    if (distribution == "debian" && holds(kSlashUpdates, suite))
        return {release + "-updates", release + "/updates"};
    return {release + "-updates", release + "-security"};
}

std::string_view release_of(std::string_view suite) {
    const auto release = without_any(kAdditions, suite);
    return release.size() < suite.size() ? release : without_any(kPockets, suite);
}

bool is_security(std::string_view suite) {
    return suite.ends_with("-security") || suite.ends_with("/updates");
}

bool is_official(std::string_view distribution, std::string_view suite) {
    const auto release = release_of(suite);
    return distribution == "ubuntu" ? holds(kUbuntu, release) : holds(kDebian, release) || holds(kRolling, suite);
}

std::string_view complete_suite(std::string_view suite) {
    if (suite == "experimental" || suite == "rc-buggy")
        return "sid";
    const auto release = release_of(suite);
    return release.size() < suite.size() ? release : std::string_view();
}

bool has_dhclient(std::string_view suite) {
    return holds(kBeforeBookworm, release_of(suite)) || release_of(suite) == "bookworm";
}

bool has_systemd_resolved(std::string_view suite) {
    return !holds(kBeforeBookworm, release_of(suite));
}

}  // namespace vprov::plan
