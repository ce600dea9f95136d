#include "config-render/host_key_check.h"

#include <gtest/gtest.h>

#include "config-render/passwords.h"

namespace vprov::render {
namespace {

TEST(HostKeyChecks, TakesWhatIsMadeHere) {
    for (const auto type : {KeyAlgorithm::rsa, KeyAlgorithm::ecdsa, KeyAlgorithm::ed25519, KeyAlgorithm::dsa})
        EXPECT_TRUE(is_host_key_pair(make_host_key(type, PrivateKeyFormat::openssh, "root@a"), "root@a"));
    for (const auto type : {KeyAlgorithm::rsa, KeyAlgorithm::ecdsa, KeyAlgorithm::dsa})
        EXPECT_TRUE(is_host_key_pair(make_host_key(type, PrivateKeyFormat::pem, "root@a"), "root@a"));
}

TEST(HostKeyChecks, TakesNothingBesides) {
    const auto key = make_host_key(KeyAlgorithm::ed25519, PrivateKeyFormat::openssh, "root@a");
    const auto other = make_host_key(KeyAlgorithm::ed25519, PrivateKeyFormat::openssh, "root@a");
    EXPECT_FALSE(is_host_key_pair(key, "root@b"));
    EXPECT_FALSE(is_host_key_pair({key.private_key, other.public_key}, "root@a"));
    EXPECT_FALSE(is_host_key_pair({key.private_key, key.public_key + "x\n"}, "root@a"));
    EXPECT_FALSE(is_host_key_pair({key.private_key + "x\n", key.public_key}, "root@a"));
    EXPECT_FALSE(is_host_key_pair({"x\n" + key.private_key, key.public_key}, "root@a"));
    EXPECT_FALSE(is_host_key_pair({"", key.public_key}, "root@a"));
    EXPECT_FALSE(is_host_key_pair({key.private_key, ""}, "root@a"));
    auto shorter = key;
    shorter.private_key.erase(100, 4);
    EXPECT_FALSE(is_host_key_pair(shorter, "root@a"));
    const auto pem = make_host_key(KeyAlgorithm::ecdsa, PrivateKeyFormat::pem, "root@a");
    EXPECT_FALSE(is_host_key_pair({pem.private_key + pem.private_key, pem.public_key}, "root@a"));
}

TEST(HostKeyChecks, AHashIsThatOfItsPassword) {
    const auto hash = hashed_password({recipe::Password::Source::random, ""}, "", "root");
    EXPECT_TRUE(is_hash_of(hash.hash, *hash.clear));
    EXPECT_FALSE(is_hash_of(hash.hash, "another"));
    EXPECT_FALSE(is_hash_of("!", ""));
}

}  // namespace
}  // namespace vprov::render
