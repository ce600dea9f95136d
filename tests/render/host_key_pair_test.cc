#include "config-render/host_key_pair.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "config-render/host_key_check.h"
#include "config-render/rsa_key.h"
#include "config-render/ssh_host_keys.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::render {
namespace {

std::string ssh_keygen(std::vector<std::string> arguments) {
    os::Command command;
    command.argv = {"ssh-keygen"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = os::clean_environment();
    os::SystemCommandRunner runner;
    const auto result = runner.run(command);
    return result.ok() ? result.output : "refused: " + result.errors;
}

struct Kind {
    const char* name;
    PrivateKeyFormat format;
    const char* listed;  // by ssh-keygen -l; {}: the fingerprint
    int rounds;          // for numbers of every length, where they are made quickly
};

class HostKeyPairs : public testing::TestWithParam<Kind> {};

TEST_P(HostKeyPairs, AreUnderstoodBySshKeygen) {
    if (!os::program_exists("ssh-keygen"))
        GTEST_SKIP() << "ssh-keygen is not installed";
    const auto& kind = GetParam();
    const os::TempDir place(std::filesystem::temp_directory_path(), "vprov-test-");
    const auto file = (place.path() / "key").native();
    std::string last;
    for (int round = 0; round < kind.rounds; ++round) {
        const auto pair = make_host_key(*key_algorithm(kind.name), kind.format, "root@debian1");
        EXPECT_NE(pair.public_key, last);
        last = pair.public_key;
        os::write_file(file, pair.private_key, 0600);
        const auto key = pair.public_key.substr(0, pair.public_key.rfind(' '));
        EXPECT_EQ(pair.public_key, key + " root@debian1\n");
        EXPECT_EQ(ssh_keygen({"-y", "-P", "", "-f", file}).substr(0, key.size()), key) << "the private key is another";
        os::write_file(file + ".pub", pair.public_key);
        const auto read = read_public_key(pair.public_key);
        ASSERT_TRUE(read);
        EXPECT_EQ(ssh_keygen({"-l", "-f", file + ".pub"}), fmt::format(fmt::runtime(kind.listed), read->fingerprint));
    }
}

constexpr const char *kRsa = "3072 {} root@debian1 (RSA)\n", *kEcdsa = "256 {} root@debian1 (ECDSA)\n",
                     *kEd25519 = "256 {} root@debian1 (ED25519)\n", *kDsa = "1024 {} root@debian1 (DSA)\n";

INSTANTIATE_TEST_SUITE_P(All, HostKeyPairs,
                         testing::Values(Kind{"rsa", PrivateKeyFormat::openssh, kRsa, 1},
                                         Kind{"ecdsa", PrivateKeyFormat::openssh, kEcdsa, 20},
                                         Kind{"ed25519", PrivateKeyFormat::openssh, kEd25519, 20},
                                         Kind{"rsa", PrivateKeyFormat::pem, kRsa, 1},
                                         Kind{"ecdsa", PrivateKeyFormat::pem, kEcdsa, 20},
                                         Kind{"ed25519", PrivateKeyFormat::pem, kEd25519, 20},
                                         Kind{"dsa", PrivateKeyFormat::pem, kDsa, 1}));

TEST(EarlyHostKey, IsAKeyOfThatKind) {
    EarlyHostKey early(KeyAlgorithm::rsa, PrivateKeyFormat::openssh, "root@a", EarlyHostKey::Haste::now);
    EXPECT_TRUE(is_host_key_pair(early.take(), "root@a"));
}

// What libcrypto says of the numbers: primes, their product, and how they belong together.
TEST(RsaKey, HasTheNumbersOfAnRsaKey) {
    const auto key = make_rsa_key(2048);
    EXPECT_EQ(EVP_PKEY_get_bits(key.get()), 2048);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), EVP_PKEY_CTX_free);
    EXPECT_EQ(EVP_PKEY_check(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_pairwise_check(context.get()), 1);
}

TEST(RsaKey, HasALengthThatThereIs) {
    EXPECT_THROW(make_rsa_key(1), Error);
}

TEST(HostKeyPair, TypesAreNamedAsInFileNames) {
    EXPECT_EQ(key_algorithm("dsa"), KeyAlgorithm::dsa);
    EXPECT_EQ(key_algorithm("ed448"), std::nullopt);
}

}  // namespace
}  // namespace vprov::render
