#include "pipeline/known_secrets.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "config-render/host_key_pair.h"

namespace vprov::pipeline {
namespace {

using Source = recipe::Password::Source;

constexpr const char* kHash = "$y$j9T$salt$hash";

class KnownSecrets : public testing::Test {
  protected:
    void SetUp() override {
        plan.hostname = "debian1";
        recipe::User joe;
        joe.name = "joe";
        joe.password = recipe::Password{Source::environment, "PASSWORD"};
        plan.recipe.identity.users.push_back(joe);
        plan.recipe.identity.root_password = recipe::Password{Source::random, ""};
        files["/etc/shadow"] = fmt::format("root:{0}:1::::::\ndaemon:{0}:1::::::\njoe:{0}2:1::::::\n", kHash);
        const auto key =
            render::make_host_key(render::KeyAlgorithm::ed25519, render::PrivateKeyFormat::openssh, "root@debian1");
        files["/etc/ssh/ssh_host_ed25519_key"] = key.private_key;
        files["/etc/ssh/ssh_host_ed25519_key.pub"] = key.public_key;
    }

    plan::KnownSecrets taken() const {
        return known_secrets(plan, [&](const std::string& path) {
            const auto file = files.find(path);
            return file == files.end() ? std::nullopt : std::optional(file->second);
        });
    }

    plan::Plan plan;
    std::map<std::string, std::string> files;
};

TEST_F(KnownSecrets, AreThoseThatTheRecipeLeavesToChance) {
    const auto secrets = taken();
    EXPECT_EQ(secrets.passwords,
              (std::map<std::string, std::string>{{"root", kHash}, {"joe", std::string(kHash) + "2"}}));
    EXPECT_EQ(secrets.files.at("etc/ssh/ssh_host_ed25519_key"), files["/etc/ssh/ssh_host_ed25519_key"]);
    EXPECT_EQ(secrets.files.size(), 2U);
    EXPECT_EQ(described(secrets),
              (std::vector<std::string>{"the password of joe", "the password of root", "the SSH host key ed25519"}));
}

TEST_F(KnownSecrets, AreNoneWhereTheRecipeGivesThem) {
    plan.recipe.identity.root_password = recipe::Password{Source::hash, kHash};
    plan.recipe.identity.users[0].password.reset();
    plan.recipe.identity.ssh_host_keys = "keys";
    EXPECT_EQ(described(taken()), std::vector<std::string>{});
    plan.recipe.identity.ssh_host_keys.reset();
    plan.recipe.identity.is_template = true;
    EXPECT_EQ(described(taken()), std::vector<std::string>{});
}

TEST_F(KnownSecrets, AreWhatTheyShouldBe) {
    files["/etc/shadow"] = "root::1::::::\njoe:$6$salt$hash:1::::::\n";
    files["/etc/ssh/ssh_host_ed25519_key"] += "something else\n";
    EXPECT_EQ(described(taken()), std::vector<std::string>{});
    files.clear();
    EXPECT_EQ(described(taken()), std::vector<std::string>{});
}

}  // namespace
}  // namespace vprov::pipeline
