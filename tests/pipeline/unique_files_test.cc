#include "pipeline/unique_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "config-render/host_key_check.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;
using Haste = render::EarlyHostKey::Haste;

class HostKeyInTree : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(work_.path() / "etc/ssh");
        server_.name = "openssh-server";
        server_.version = "1:9.2p1-2+deb12u3";
        packages_.packages.push_back({&server_, false});
    }

    fs::path at(const std::string& path) const { return work_.path() / path; }

    std::string key(const std::string& path) const { return fs::exists(at(path)) ? os::read_file(at(path)) : ""; }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    os::RootDir tree_{work_.path()};
    deb::Package server_;
    resolve::PackageSet packages_;
};

TEST_F(HostKeyInTree, IsThereBeforeTheServersScript) {
    const auto early = begin_host_key(packages_, "debian1", Haste::now);
    ASSERT_TRUE(early);
    place_host_key(tree_, *early);
    EXPECT_TRUE(render::is_host_key_pair({key("etc/ssh/ssh_host_rsa_key"), key("etc/ssh/ssh_host_rsa_key.pub")},
                                         "root@debian1"));
    struct stat status {};
    ASSERT_EQ(::stat(at("etc/ssh/ssh_host_rsa_key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(HostKeyInTree, IsNotMadeForAServerThatMayWantNone) {
    os::write_file(at("etc/ssh/sshd_config"), "HostKey /etc/ssh/ssh_host_ed25519_key\n");
    place_host_key(tree_, *begin_host_key(packages_, "debian1", Haste::now));
    EXPECT_FALSE(fs::exists(at("etc/ssh/ssh_host_rsa_key")));
}

TEST_F(HostKeyInTree, IsNotMadeInPlaceOfOneThatIsThere) {
    os::write_file(at("etc/ssh/ssh_host_rsa_key"), "given\n");
    place_host_key(tree_, *begin_host_key(packages_, "debian1", Haste::now));
    EXPECT_EQ(key("etc/ssh/ssh_host_rsa_key"), "given\n");
    EXPECT_FALSE(fs::exists(at("etc/ssh/ssh_host_rsa_key.pub")));
}

TEST_F(HostKeyInTree, IsNotBegunWithoutAServer) {
    server_.name = "openssh-client";
    EXPECT_EQ(begin_host_key(packages_, "debian1", Haste::now), nullptr);
}

TEST_F(HostKeyInTree, IsTakenWhereItIsMadeAnewAndNothingIsGiven) {
    const std::string rsa = "etc/ssh/ssh_host_rsa_key", ed25519 = "etc/ssh/ssh_host_ed25519_key";
    const auto early = begin_host_key(packages_, "early", Haste::later);  // another name than the tree's, to tell it by
    const auto format = render::PrivateKeyFormat::openssh;
    make_unique_files(tree_, {rsa, rsa + ".pub"}, "debian1", format, {{rsa, "a"}, {rsa + ".pub", "b"}}, early.get());
    EXPECT_EQ(key(rsa), "a");
    EXPECT_EQ(key(rsa + ".pub"), "b");
    make_unique_files(tree_, {ed25519, ed25519 + ".pub", rsa, rsa + ".pub"}, "debian1", format, {}, early.get());
    EXPECT_TRUE(render::is_host_key_pair({key(ed25519), key(ed25519 + ".pub")}, "root@debian1"));
    EXPECT_TRUE(render::is_host_key_pair({key(rsa), key(rsa + ".pub")}, "root@early"));
}

}  // namespace
}  // namespace vprov::pipeline
