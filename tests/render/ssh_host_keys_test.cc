#include "config-render/ssh_host_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/temp_dir.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

class HostKeys : public testing::Test {
  protected:
    std::string ssh_keygen(std::vector<std::string> arguments) {
        os::Command command;
        command.argv = {"ssh-keygen"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.environment = os::clean_environment();
        os::SystemCommandRunner runner;
        const auto result = runner.run(command);
        return result.ok() ? result.output : "failed: " + result.errors;
    }

    std::string error_of(const plan::Plan& plan) {
        try {
            given_host_keys(plan);
        } catch (const Error& e) {
            return e.message();
        }
        return "none";
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    const os::RootDir root = [this] {
        fs::create_directories(work.path() / "root/etc/ssh");
        fs::create_directories(work.path() / "keys");
        return os::RootDir(work.path() / "root");
    }();
};

TEST_F(HostKeys, AreWhatSshKeygenReads) {
    if (!os::program_exists("ssh-keygen"))
        GTEST_SKIP() << "ssh-keygen is not installed";
    struct Kind {
        HostKeyType type;
        const char *file, *listed;
    };
    for (const auto& [type, file, listed] :
         {Kind{HostKeyType::rsa, "ssh_host_rsa_key", "3072 {} root@debian1 (RSA)\n"},
          Kind{HostKeyType::ecdsa, "ssh_host_ecdsa_key", "256 {} root@debian1 (ECDSA)\n"},
          Kind{HostKeyType::ed25519, "ssh_host_ed25519_key", "256 {} root@debian1 (ED25519)\n"}}) {
        for (int round = 0; round < (type == HostKeyType::rsa ? 1 : 20); ++round) {  // numbers of every length
            const auto files = new_host_key(type, "root@debian1");
            ASSERT_EQ(files.size(), 2U);
            EXPECT_EQ(files[0].path, std::string("/etc/ssh/") + file);
            EXPECT_EQ(files[0].mode, 0600U);
            EXPECT_TRUE(files[0].secret);
            EXPECT_EQ(files[1].path, files[0].path + ".pub");
            write_guest_files(root, files);
            const auto path = (root.path() / "etc/ssh" / file).native();
            const auto key = read_public_key(files[1].content);
            ASSERT_TRUE(key);
            EXPECT_EQ(ssh_keygen({"-l", "-f", path + ".pub"}), fmt::format(fmt::runtime(listed), key->fingerprint));
            EXPECT_EQ(ssh_keygen({"-y", "-f", path}), files[1].content) << "the private key is another";
        }
    }
    EXPECT_EQ(host_keys(root).size(), 3U);
    EXPECT_EQ(host_keys(root)[0].type, "ecdsa-sha2-nistp256");
}

TEST_F(HostKeys, NoTwoAreAlike) {
    EXPECT_NE(new_host_key(HostKeyType::ed25519, "a")[1].content, new_host_key(HostKeyType::ed25519, "a")[1].content);
}

TEST_F(HostKeys, FingerprintOfAKnownKey) {
    const auto key =
        read_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f comment\n");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->type, "ssh-ed25519");
    EXPECT_EQ(key->fingerprint, "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA");
    EXPECT_FALSE(read_public_key("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"));
    EXPECT_FALSE(read_public_key("ssh-ed25519"));
    EXPECT_FALSE(read_public_key("ssh-ed25519 AAA!"));
}

TEST_F(HostKeys, GivenOnesAreTakenWhole) {
    auto plan = sample_plan();
    plan.recipe.file = work.path() / "g1.toml";
    plan.recipe.identity.ssh_host_keys = "keys";
    const auto keys = work.path() / "keys";
    EXPECT_EQ(error_of(plan),
              fmt::format("cannot take host keys from '{}': there is no ssh_host_*_key", keys.native()));
    const auto made = new_host_key(HostKeyType::ed25519, "root@debian1");
    os::write_file(keys / "ssh_host_ed25519_key", made[0].content, 0644);
    ::chmod((keys / "ssh_host_ed25519_key").c_str(), 0644);
    os::write_file(keys / "ssh_host_ed25519_key.pub", "nonsense\n");
    EXPECT_EQ(
        error_of(plan),
        fmt::format("cannot take the host key '{}/ssh_host_ed25519_key.pub': that is no public key", keys.native()));
    os::write_file(keys / "ssh_host_ed25519_key.pub", made[1].content);
    EXPECT_EQ(error_of(plan),
              fmt::format("cannot take the host key '{0}/ssh_host_ed25519_key': everybody can read it (chmod o-r "
                          "{0}/ssh_host_ed25519_key)",
                          keys.native()));
    ::chmod((keys / "ssh_host_ed25519_key").c_str(), 0600);
    EXPECT_EQ(given_host_keys(plan), made);
}

}  // namespace
}  // namespace vprov::render
