#include "pipeline/guest_name.h"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "os/temp_dir.h"
#include "pipeline/tree_dates.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kDate = 1'700'000'000;

class GuestNameTest : public testing::Test {
  protected:
    void write(const std::string& path, const std::string& content, std::int64_t date = kDate + 5) const {
        const auto file = tree_.path() / path;
        fs::create_directories(file.parent_path());
        os::write_file(file, content);
        set_date(file, date);
    }
    static void set_date(const fs::path& file, std::int64_t date) {
        const std::array<timespec, 2> times = {{{date, 7}, {date, 7}}};
        ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
    }
    std::string changed(const std::string& path) const {
        struct stat status {};
        ::lstat((tree_.path() / path).c_str(), &status);
        return fmt::format("{}.{}", status.st_mtim.tv_sec - kDate, status.st_mtim.tv_nsec);
    }
    os::TempDir tree_{fs::temp_directory_path(), "vprov-test-"};
};

TEST_F(GuestNameTest, FindsWhatScriptsWroteAndReplacesTheName) {
    const std::string name(kUnnamedGuest);
    write("etc/postfix/main.cf", "myhostname = " + name + "\nmydestination = $myhostname, " + name + ", localhost\n");
    write("etc/mailname", name + "\n");
    write("etc/other", "nothing\n");
    write("etc/shipped", name, kDate - 1);
    write("etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa AAAA root@" + name);
    const auto named = find_named_files(tree_.path(), kDate, {"etc/ssh/ssh_host_rsa_key.pub"});
    EXPECT_EQ(named.text, (std::vector<std::string>{"etc/mailname", "etc/postfix/main.cf"}));
    EXPECT_EQ(named.other, "");
    const os::RootDir root(tree_.path());
    write_name(root, named.text, "mail1");
    EXPECT_EQ(root.read("/etc/postfix/main.cf"), "myhostname = mail1\nmydestination = $myhostname, mail1, localhost\n");
    EXPECT_EQ(root.read("/etc/mailname"), "mail1\n");
}

TEST_F(GuestNameTest, ANameInADatabaseCannotBeReplaced) {
    write("var/lib/db", std::string("\0\1", 2) + std::string(kUnnamedGuest));
    EXPECT_EQ(find_named_files(tree_.path(), kDate, {}).other, "var/lib/db");
}

TEST_F(GuestNameTest, PackagesThatAreKnownToNeedIt) {
    deb::Package plain, certificates;
    plain.name = "bash";
    certificates.name = "ssl-cert";
    resolve::PackageSet set;
    set.packages.push_back({&plain, false});
    EXPECT_EQ(package_that_needs_name(set), "");
    set.packages.push_back({&certificates, true});
    EXPECT_EQ(package_that_needs_name(set), "ssl-cert");
}

TEST_F(GuestNameTest, LaterDatesBecomeTheLatestAllowed) {
    write("old", "", kDate - 10);
    write("exact", "", kDate);
    write("new", "", kDate + 10);
    fs::create_symlink("new", tree_.path() / "link");
    set_date(tree_.path() / "link", kDate + 10);
    limit_dates(tree_.path(), kDate);
    EXPECT_EQ(changed("old"), "-10.7");
    EXPECT_EQ(changed("exact"), "0.0");
    EXPECT_EQ(changed("new"), "0.0");
    EXPECT_EQ(changed("link"), "0.0");
    EXPECT_EQ(changed("."), "0.0");
}

}  // namespace
}  // namespace vprov::pipeline
