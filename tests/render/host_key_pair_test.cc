#include "config-render/host_key_pair.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::render {
namespace {

// What ssh-keygen, which shares no code with ours, makes of a private key: its public key; "" where it is not installed.
std::optional<std::string> public_key_by_ssh_keygen(const std::string& private_key) {
    const os::TempDir place(std::filesystem::temp_directory_path(), "vprov-test-");
    os::write_file(place.path() / "key", private_key, 0600);
    os::Command command;
    command.argv = {"ssh-keygen", "-y", "-P", "", "-f", (place.path() / "key").native()};
    command.environment = os::clean_environment();
    os::SystemCommandRunner runner;
    try {
        const auto result = runner.run(command);
        return result.ok() ? result.output : "refused: " + result.errors;
    } catch (const Error&) {
        return std::nullopt;
    }
}

class HostKeyPairs : public testing::TestWithParam<std::pair<const char*, PrivateKeyFormat>> {};

TEST_P(HostKeyPairs, AreUnderstoodBySshKeygen) {
    const auto [name, format] = GetParam();
    const auto pair = make_host_key(*key_algorithm(name), format, "root@debian1");
    EXPECT_TRUE(pair.public_key.ends_with(" root@debian1\n")) << pair.public_key;
    const auto said = public_key_by_ssh_keygen(pair.private_key);
    if (!said)
        GTEST_SKIP() << "ssh-keygen is not installed";
    const auto key = pair.public_key.substr(0, pair.public_key.rfind(' '));
    EXPECT_EQ(said->substr(0, key.size()), key) << *said;
    EXPECT_NE(make_host_key(*key_algorithm(name), format, "root@debian1").public_key, pair.public_key);
}

INSTANTIATE_TEST_SUITE_P(All, HostKeyPairs,
                         testing::Values(std::pair{"rsa", PrivateKeyFormat::openssh},
                                         std::pair{"ecdsa", PrivateKeyFormat::openssh},
                                         std::pair{"ed25519", PrivateKeyFormat::openssh},
                                         std::pair{"rsa", PrivateKeyFormat::pem},
                                         std::pair{"ecdsa", PrivateKeyFormat::pem},
                                         std::pair{"ed25519", PrivateKeyFormat::pem}));

TEST(HostKeyPair, TypesAreNamedAsInFileNames) {
    EXPECT_EQ(key_algorithm("dsa"), KeyAlgorithm::dsa);
    EXPECT_EQ(key_algorithm("ed448"), std::nullopt);
}

}  // namespace
}  // namespace vprov::render
