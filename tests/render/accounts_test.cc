#include "config-render/accounts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "config-render/account_tables.h"
#include "os/temp_dir.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

constexpr const char* kHash = "$y$j9T$abcdefghijkl$0123456789012345678901234567890123456789012";

AccountTables debian_tables() {
    return {AccountTable("root:x:0:0:root:/root:/bin/bash\nold:x:1000:100::/home/old:/bin/sh\n"),
            AccountTable("root:*:20000:0:99999:7:::\nold:!:20000:0:99999:7:::\n"),
            AccountTable("root:x:0:\nsudo:x:27:\nusers:x:100:old\nadm:x:4:\nproject:x:1001:\n"),
            AccountTable("root:*::\nsudo:*::\nusers:*::old\nadm:*::\nproject:!::\n"),
            AccountTable("old:100000:65536\n"),
            AccountTable("")};
}

TEST(AccountTables, TextComesBackAsItWas) {
    for (const auto* text : {"", "a:b\n", "a:b::\n\n# comment\nc:d\n"}) EXPECT_EQ(AccountTable(text).text(), text);
}

TEST(AccountTables, UserIsAddedAsAdduserDoes) {
    auto tables = debian_tables();
    EXPECT_EQ(add_user(tables, {"joe", "!", {"adm", "sudo", "adm"}, 20778}), (UserIds{1002, 1002}));
    EXPECT_EQ(tables.passwd.text(),
              "root:x:0:0:root:/root:/bin/bash\nold:x:1000:100::/home/old:/bin/sh\njoe:x:1002:1002:,,,:/home/joe:/bin/"
              "bash\n");
    EXPECT_EQ(tables.shadow.text(), "root:*:20000:0:99999:7:::\nold:!:20000:0:99999:7:::\njoe:!:20778:0:99999:7:::\n");
    EXPECT_EQ(tables.group.text(),
              "root:x:0:\nsudo:x:27:joe\nusers:x:100:old,joe\nadm:x:4:joe\nproject:x:1001:\njoe:x:1002:\n");
    EXPECT_EQ(tables.gshadow.text(), "root:*::\nsudo:*::joe\nusers:*::old,joe\nadm:*::joe\nproject:!::\njoe:!::\n");
    EXPECT_EQ(tables.subuid.text(), "old:100000:65536\njoe:165536:65536\n");
    EXPECT_EQ(tables.subgid.text(), "joe:100000:65536\n");
}

TEST(AccountTables, LimitsTheDaysOfPasswords) {
    AccountTable shadow(
        "root:*:20778:0:99999:7:::\nold:*:20000:0:99999:7:::\nnone:*::0:99999:7:::\nodd\nsshd:!:20773::::::\n");
    limit_last_change(shadow, 20773);
    EXPECT_EQ(shadow.text(),
              "root:*:20773:0:99999:7:::\nold:*:20000:0:99999:7:::\nnone:*::0:99999:7:::\nodd\nsshd:!:20773::::::\n");
}

TEST(AccountTables, RefusesWhatCannotBe) {
    const auto message = [](const NewUser& user) -> std::string {
        auto tables = debian_tables();
        try {
            add_user(tables, user);
        } catch (const Error& e) {
            return e.message();
        }
        return "(no error)";
    };
    EXPECT_EQ(message({"old", "!", {}, 1}), "cannot add user 'old': the guest has a user or group of that name");
    EXPECT_EQ(message({"adm", "!", {}, 1}), "cannot add user 'adm': the guest has a user or group of that name");
    EXPECT_EQ(message({"joe", "!", {"docker"}, 1}),
              "cannot add user 'joe' to group 'docker': the guest has no such group");
    for (const auto* wrong : {"", "Joe", "a:b", "-x", "1a", "a\nb:x:0:0"})
        EXPECT_EQ(message({wrong, "!", {}, 1}).find("cannot add user '"), 0U) << wrong;
    AccountTables bare;
    EXPECT_THROW(set_password(bare, "root", kHash, 1), Error);
    EXPECT_THROW(add_user(bare, {"joe", kHash, {}, 1}), Error);
}

class Accounts : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(tree / "etc/skel/.config");
        os::write_file(tree / "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        os::write_file(tree / "etc/shadow", "root:*:20000:0:99999:7:::\n", 0640);
        os::write_file(tree / "etc/group", "root:x:0:\nsudo:x:27:\nusers:x:100:\n");
        fs::create_directory(tree / "bin");
        os::write_file(tree / "bin/bash", "", 0755);
        os::write_file(tree / "etc/skel/.profile", "# profile\n");
        os::write_file(tree / "etc/skel/.config/run", "#!\n", 0755);
        fs::create_symlink(".profile", tree / "etc/skel/.link");
        plan = sample_plan();
    }

    static recipe::User joe() {
        recipe::User user;
        user.name = "joe";
        return user;
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree = work.path() / "root";
    plan::Plan plan;
    static constexpr std::int64_t kNow = 1795222800;  // day 20778
};

TEST_F(Accounts, NothingAskedNothingChanged) {
    const auto result = apply_accounts(os::RootDir(tree), plan, kNow);
    EXPECT_FALSE(result.root_password);
    EXPECT_EQ(os::read_file(tree / "etc/shadow"), "root:*:20000:0:99999:7:::\n");
}

TEST_F(Accounts, RootsPasswordKeepsModeOfShadow) {
    plan.recipe.identity.root_password = recipe::Password{recipe::Password::Source::hash, kHash};
    apply_accounts(os::RootDir(tree), plan, kNow);
    EXPECT_EQ(os::read_file(tree / "etc/shadow"), std::string("root:") + kHash + ":20778:0:99999:7:::\n");
    EXPECT_EQ(fs::status(tree / "etc/shadow").permissions(), fs::perms(0640));
    EXPECT_FALSE(fs::exists(tree / "etc/gshadow")) << "made a table that the tree does not have";
}

TEST_F(Accounts, RandomPasswordsComeBackInClear) {
    const recipe::Password random{recipe::Password::Source::random, ""};
    plan.recipe.identity.root_password = random;
    if (::geteuid() == 0)
        plan.recipe.identity.users = {joe()};
    if (!plan.recipe.identity.users.empty())
        plan.recipe.identity.users[0].password = random;
    const auto result = apply_accounts(os::RootDir(tree), plan, kNow);
    ASSERT_TRUE(result.root_password);
    EXPECT_EQ(result.root_password->size(), 20U);
    EXPECT_EQ(os::read_file(tree / "etc/shadow").find(*result.root_password), std::string::npos);
    ASSERT_EQ(result.user_passwords.size(), plan.recipe.identity.users.size());
}

TEST_F(Accounts, UserHasAHomeOfItsOwn) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "giving files away needs root";
    plan.recipe.identity.users = {joe()};
    plan.recipe.identity.users[0].sudo = recipe::Sudo::with_password;
    plan.recipe.identity.users[0].authorized_keys = {"ssh-ed25519 AAAA joe"};
    apply_accounts(os::RootDir(tree), plan, kNow);
    const os::RootDir root(tree);
    const auto entry = [&](const char* path) {
        const auto status = root.status(path);
        return status ? fmt::format("{:o} {}:{}", status->st_mode, status->st_uid, status->st_gid) : "missing";
    };
    EXPECT_EQ(entry("/home"), "40755 0:0");
    EXPECT_EQ(entry("/home/joe"), "40700 1000:1000");
    EXPECT_EQ(entry("/home/joe/.profile"), "100644 1000:1000");
    EXPECT_EQ(entry("/home/joe/.config"), "40755 1000:1000");
    EXPECT_EQ(entry("/home/joe/.config/run"), "100755 1000:1000");
    EXPECT_EQ(entry("/home/joe/.link"), "120777 1000:1000");
    EXPECT_EQ(entry("/home/joe/.ssh"), "40700 1000:1000");
    EXPECT_EQ(entry("/home/joe/.ssh/authorized_keys"), "100600 1000:1000");
    EXPECT_EQ(root.read("/home/joe/.ssh/authorized_keys"), "ssh-ed25519 AAAA joe\n");
    EXPECT_EQ(root.read("/etc/group"), "root:x:0:\nsudo:x:27:joe\nusers:x:100:joe\njoe:x:1000:\n");
    EXPECT_EQ(root.read("/etc/shadow"), "root:*:20000:0:99999:7:::\njoe:!:20778:0:99999:7:::\n");
}

TEST_F(Accounts, UserIsWhatTheRecipeSays) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "giving files away needs root";
    auto user = joe();
    user.uid = 2000;
    user.gid = 3000;
    user.home = "/srv/people/joe";
    user.gecos = "Joe,,,";
    user.shell = "/bin/zsh";
    user.sudo = recipe::Sudo::without_password;
    plan.recipe.identity.users = {user};
    const os::RootDir root(tree);
    const auto message = [&]() -> std::string {
        try {
            apply_accounts(root, plan, kNow);
        } catch (const Error& e) {
            return e.message();
        }
        return "(no error)";
    };
    EXPECT_EQ(message(),
              "cannot add user 'joe': the guest has no '/bin/zsh'; [system] include needs the package that brings it");
    os::write_file(tree / "bin/zsh", "", 0755);
    EXPECT_EQ(message(), "(no error)");
    EXPECT_EQ(root.read("/etc/passwd"),
              "root:x:0:0:root:/root:/bin/bash\njoe:x:2000:3000:Joe,,,:/srv/people/joe:/bin/zsh\n");
    EXPECT_EQ(root.read("/etc/group"), "root:x:0:\nsudo:x:27:joe\nusers:x:100:joe\njoe:x:3000:\n");
    EXPECT_EQ(root.read("/etc/sudoers.d/joe"), "joe ALL=(ALL:ALL) NOPASSWD: ALL\n");
    EXPECT_EQ(root.status("/etc/sudoers.d/joe")->st_mode & 07777, 0440U);
    EXPECT_EQ(root.status("/srv/people/joe")->st_uid, 2000U);
    EXPECT_EQ(root.status("/srv/people/joe")->st_gid, 3000U);
    EXPECT_EQ(root.status("/srv/people")->st_uid, 0U);
    plan.recipe.identity.users[0].name = "jim";
    EXPECT_EQ(message(), "cannot add user 'jim': the guest has a user with number 2000");
    plan.recipe.identity.users[0].uid = 2001;
    EXPECT_EQ(message(), "cannot add user 'jim': the guest has a group with number 3000");
}

TEST_F(Accounts, PasswordsAreCheckedBeforehand) {
    ::unsetenv("VPROV_TEST_UNSET");
    plan.recipe.identity.users = {joe()};
    plan.recipe.identity.users[0].password =
        recipe::Password{recipe::Password::Source::environment, "VPROV_TEST_UNSET"};
    try {
        check_passwords(plan);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(),
                  "cannot set the password of user 'joe': the environment variable 'VPROV_TEST_UNSET' is not set");
    }
}

}  // namespace
}  // namespace vprov::render
