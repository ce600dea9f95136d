#include "config-render/passwords.h"

#include <crypt.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "base/error.h"
#include "os/temp_dir.h"

namespace vprov::render {
namespace {
using recipe::Password;
using Source = Password::Source;

constexpr const char* kHash = "$y$j9T$abcdefghijkl$0123456789012345678901234567890123456789012";

bool opens(const std::string& hash, const std::string& clear) {
    const auto state = std::make_unique<crypt_data>();
    const char* again = ::crypt_rn(clear.c_str(), hash.c_str(), state.get(), sizeof *state);
    return again && hash == again;
}

std::string message_of(const Password& password, const std::filesystem::path& folder) {
    try {
        hashed_password(password, folder, "root");
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::recipe);
        return e.message();
    }
    return "(no error)";
}

TEST(Password, HashIsTakenAsItIs) {
    const auto password = hashed_password({Source::hash, kHash}, "", "root");
    EXPECT_EQ(password.hash, kHash);
    EXPECT_FALSE(password.clear);
}

TEST(Password, WhatIsNoHashIsRefusedWithoutShowingIt) {
    EXPECT_EQ(message_of({Source::hash, "geheim"}, ""),
              "cannot set the password of root: what the recipe gives is not a password hash (mkpasswd prints one)");
    for (const auto* wrong : {"", "x", "$1$", "$y$j9T$a:b$c", "$6$salt$hash\n", "$6$sa lt$hash"})
        EXPECT_FALSE(is_password_hash(wrong)) << wrong;
    for (const auto* right : {"*", "!", "!*", kHash, "!$6$salt$hash", "$5$rounds=5000$salt$hash"})
        EXPECT_TRUE(is_password_hash(right)) << right;
}

TEST(Password, FileIsReadBesideTheRecipeAndMustNotBeReadableForAll) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    os::write_file(work.path() / "hash", std::string(kHash) + "\n", 0640);
    EXPECT_EQ(hashed_password({Source::hash_file, "hash"}, work.path(), "root").hash, kHash);
    std::filesystem::permissions(work.path() / "hash", std::filesystem::perms(0644));
    const auto file = (work.path() / "hash").string();
    EXPECT_EQ(message_of({Source::hash_file, "hash"}, work.path()),
              "cannot take the password of root from '" + file + "': everybody can read it (chmod o-r " + file + ")");
    EXPECT_EQ(message_of({Source::hash_file, "none"}, work.path()),
              "cannot open '" + (work.path() / "none").string() + "': No such file or directory");
}

TEST(Password, VariableIsHashedWithYescrypt) {
    ::setenv("VPROV_TEST_PASSWORD", "correct horse", 1);
    const auto password = hashed_password({Source::environment, "VPROV_TEST_PASSWORD"}, "", "root");
    ::unsetenv("VPROV_TEST_PASSWORD");
    EXPECT_TRUE(password.hash.starts_with("$y$")) << password.hash;
    EXPECT_TRUE(is_password_hash(password.hash));
    EXPECT_TRUE(opens(password.hash, "correct horse"));
    EXPECT_FALSE(opens(password.hash, "correct horsf"));
    EXPECT_FALSE(password.clear);
    EXPECT_EQ(message_of({Source::environment, "VPROV_TEST_PASSWORD"}, ""),
              "cannot set the password of root: the environment variable 'VPROV_TEST_PASSWORD' is not set");
}

TEST(Password, RandomOneIsGivenBackAndOpens) {
    const auto password = hashed_password({Source::random, ""}, "", "root");
    ASSERT_TRUE(password.clear);
    EXPECT_EQ(password.clear->size(), 20U);
    EXPECT_EQ(password.clear->find_first_of("0O1lIo"), std::string::npos);
    EXPECT_TRUE(opens(password.hash, *password.clear));
    std::set<std::string> drawn;
    for (int i = 0; i < 100; ++i) drawn.insert(random_password());
    EXPECT_EQ(drawn.size(), 100U);
}

}  // namespace
}  // namespace vprov::render
