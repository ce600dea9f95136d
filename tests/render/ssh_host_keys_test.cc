#include "config-render/ssh_host_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "config-render/host_key_pair.h"
#include "os/temp_dir.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

class HostKeys : public testing::Test {
  protected:
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
    const auto made = make_host_key(KeyAlgorithm::ed25519, PrivateKeyFormat::openssh, "root@debian1");
    os::write_file(keys / "ssh_host_ed25519_key", made.private_key, 0644);
    ::chmod((keys / "ssh_host_ed25519_key").c_str(), 0644);
    os::write_file(keys / "ssh_host_ed25519_key.pub", "nonsense\n");
    EXPECT_EQ(
        error_of(plan),
        fmt::format("cannot take the host key '{}/ssh_host_ed25519_key.pub': that is no public key", keys.native()));
    os::write_file(keys / "ssh_host_ed25519_key.pub", made.public_key);
    EXPECT_EQ(error_of(plan),
              fmt::format("cannot take the host key '{0}/ssh_host_ed25519_key': everybody can read it (chmod o-r "
                          "{0}/ssh_host_ed25519_key)",
                          keys.native()));
    ::chmod((keys / "ssh_host_ed25519_key").c_str(), 0600);
    const auto files = given_host_keys(plan);
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].path, "/etc/ssh/ssh_host_ed25519_key");
    EXPECT_EQ(files[0].content, made.private_key);
    EXPECT_EQ(files[0].mode, 0600U);
    EXPECT_TRUE(files[0].secret);
    EXPECT_EQ(files[1], (GuestFile{"/etc/ssh/ssh_host_ed25519_key.pub", made.public_key}));
    write_guest_files(root, files);
    EXPECT_EQ(host_keys(root), std::vector{*read_public_key(made.public_key)});
}

}  // namespace
}  // namespace vprov::render
