#include "bootstrap/deb/package_wish.h"

#include <gtest/gtest.h>

namespace vprov::deb {
namespace {

std::string parts(std::string_view text) {
    const auto wish = read_package_wish(text);
    std::string all(wish.removal ? "-" : "+");
    for (const auto part : {wish.name, wish.architecture, wish.version, wish.release}) all.append("|").append(part);
    return all;
}

TEST(PackageWish, HasTheFormsOfApt) {
    EXPECT_EQ(parts("nginx"), "+|nginx|||");
    EXPECT_EQ(parts("g++"), "+|g++|||");
    EXPECT_EQ(parts("nginx=1:1.22.1-9"), "+|nginx||1:1.22.1-9|");
    EXPECT_EQ(parts("libc6:i386"), "+|libc6|i386||");
    EXPECT_EQ(parts("libc6:i386=2.36-9"), "+|libc6|i386|2.36-9|");
    EXPECT_EQ(parts("nginx/bookworm-backports"), "+|nginx|||bookworm-backports");
    EXPECT_EQ(parts("nginx/buster/updates"), "+|nginx|||buster/updates");
    EXPECT_EQ(parts("exim4-"), "-|exim4|||");
    EXPECT_EQ(parts("exim4:i386-"), "-|exim4|i386||");
}

TEST(PackageWish, FlawsAreNamed) {
    for (const auto* good : {"vim", "vim=2:9.0*", "vim/sid", "vim:arm64", "vim:arm64-", "vim-", "0ad"})
        EXPECT_EQ(flaw_of_package_wish(good), "") << good;
    for (const auto* bad : {"", "a", "Vim", "-a", "v im", "=1", "a_b"})
        EXPECT_EQ(flaw_of_package_wish(bad),
                  "a package's name is at least two lower-case letters, digits, '.', '+' or '-'")
            << bad;
    EXPECT_EQ(flaw_of_package_wish("vim="), "a version is wanted after '=', as in 'nginx=1.22.1-9'");
    EXPECT_EQ(flaw_of_package_wish("vim=1 2"), "a version is wanted after '=', as in 'nginx=1.22.1-9'");
    EXPECT_EQ(flaw_of_package_wish("vim/"), "a suite is wanted after '/', as in 'nginx/bookworm-backports'");
    EXPECT_EQ(flaw_of_package_wish("vim:"), "an architecture is wanted after ':', as in 'libc6:i386'");
}

}  // namespace
}  // namespace vprov::deb
