#include "pipeline/layers.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>

#include "base/text.h"
#include "os/temp_dir.h"
#include "pipeline/unique_files.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class LayersTest : public testing::Test {
  protected:
    LayersTest() {
        fs::create_directory(logs_);
        write("usr/bin/tool", "a program", 0755);
        write("etc/hostname", "sandboxed\n");
        write("etc/ssh/sshd_config", "Port 22\n");
        write("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n/etc/tool.secret\n");
        write("etc/shadow", "root:*:1:0:::::\n", 0640);
    }

    void write(const std::string& path, const std::string& content, mode_t mode = 0644) const {
        fs::create_directories((tree_ / path).parent_path());
        os::write_file(tree_ / path, content, mode);
        ::chmod((tree_ / path).c_str(), mode);
    }

    LayerInputs inputs(std::string_view version = "1.0-1", std::vector<std::string> prepared = {"/etc/hostname a"}) {
        deb::Package package;
        package.name = "tool";
        package.version = version;
        package.architecture = "amd64";
        packages_.push_back(package);
        resolve::PackageSet set;
        set.packages.push_back({&packages_.back(), false});
        return layer_inputs(set, {"amd64", "sandboxed", std::move(prepared), {"usr 0"}});
    }

    std::optional<std::string> restored(const LayerInputs& wanted) {
        const auto layer = layers_.find(wanted);
        if (!layer)
            return std::nullopt;
        const auto root = work_.path() / fmt::format("root{}", ++count_);
        fs::create_directory(root);
        const auto made = layers_.restore(*layer, root);
        if (!made)
            return fs::is_empty(root) ? "damaged" : "damaged, and not emptied";
        EXPECT_EQ(made->date(), 1234);
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(root))
            if (entry.is_regular_file())
                lines.push_back(fmt::format("{} {:o} {}", entry.path().lexically_relative(root).native(),
                                            static_cast<unsigned>(entry.status().permissions()),
                                            os::read_file(entry.path())));
        std::ranges::sort(lines);
        return joined(lines, "|");
    }

    configure::ConfiguredRoot made_tree() const { return configure::ConfiguredRoot(tree_, 1234); }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree_ = work_.path() / "tree";
    archive::Cache cache_{work_.path() / "cache"};
    Layers layers_{cache_};
    std::deque<deb::Package> packages_;
    fs::path logs_ = work_.path() / "log";
    int count_ = 0;
};

TEST_F(LayersTest, ATreeComesBackForTheSameInputsOnly) {
    EXPECT_EQ(layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_), "");
    EXPECT_EQ(restored(inputs()),
              "etc/hostname 644 sandboxed\n|etc/shadow 640 root:*:1:0:::::\n|etc/ssh/sshd_config 644 Port 22\n|"
              "usr/bin/tool 755 a program|var/lib/dpkg/info/tool.list 644 /usr/bin/tool\n/etc/tool.secret\n");
    EXPECT_EQ(restored(inputs("1.0-2")), std::nullopt);
    EXPECT_EQ(restored(inputs("1.0-1", {})), std::nullopt);
}

TEST_F(LayersTest, ADamagedOneIsRemoved) {
    layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_);
    const auto tar = cache_.directory() / "layers" / inputs().digest().hex() / "tree.tar";
    auto bytes = os::read_file(tar);
    const auto at = bytes.find("a program");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'A';
    os::write_file(tar, bytes);
    EXPECT_FALSE(Layers::is_intact(tar.parent_path()));
    EXPECT_EQ(restored(inputs()), "damaged");
    EXPECT_EQ(restored(inputs()), std::nullopt);
}

TEST_F(LayersTest, WhatMayBeASecretOfOneMachineKeepsATreeFromBeingKept) {
    write("etc/tool.secret", "shipped by a package", 0600);
    EXPECT_EQ(find_unique_files(os::RootDir(tree_)).unknown, "");
    write("var/lib/tool/key", "made by a script", 0600);
    EXPECT_EQ(layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_),
              "'/var/lib/tool/key' may be a secret that no other tree should have");
    EXPECT_EQ(restored(inputs()), std::nullopt);
}

TEST_F(LayersTest, HostKeysAreLeftOut) {
    write("etc/ssh/ssh_host_ed25519_key", "private", 0600);
    write("etc/ssh/ssh_host_ed25519_key.pub", "public");
    EXPECT_EQ(find_unique_files(os::RootDir(tree_)).known,
              (std::vector<std::string>{"etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key.pub"}));
    EXPECT_EQ(layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_), "");
    const auto tar = os::read_file(cache_.directory() / "layers" / inputs().digest().hex() / "tree.tar");
    EXPECT_EQ(tar.find("ssh_host"), std::string::npos);
    EXPECT_EQ(tar.find("private"), std::string::npos);
}

TEST_F(LayersTest, KnowsWhichFilesHaveTheGuestsName) {
    layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_);
    EXPECT_EQ(Layers::named_files(*layers_.find(inputs())), std::vector<std::string>{"etc/hostname"});
    EXPECT_EQ(layers_.what_needs_name(inputs()), "");
}

TEST_F(LayersTest, WhatNeedsTheGuestsNameIsNoLayer) {
    layers_.keep_needs_name(inputs(), "var/lib/tool/db");
    EXPECT_EQ(layers_.what_needs_name(inputs()), "var/lib/tool/db");
    EXPECT_EQ(layers_.find(inputs()), std::nullopt);
    EXPECT_TRUE(Layers::is_intact(cache_.directory() / "layers" / inputs().digest().hex()));
    EXPECT_EQ(layers_.what_needs_name(inputs("1.0-2")), "");
}

TEST_F(LayersTest, SaysHowTheMostSimilarOneDiffers) {
    EXPECT_EQ(layers_.why_none(inputs()), "no layer is kept yet");
    layers_.keep(inputs(), made_tree(), {"etc/hostname"}, logs_);
    EXPECT_EQ(layers_.why_none(inputs("1.0-2")), "tool is 1.0-2 and was 1.0-1");
    EXPECT_EQ(layers_.why_none(inputs("1.0-1", {"/etc/hostname b", "/etc/locale.gen c"})),
              "/etc/hostname is another, /etc/locale.gen is another");
    EXPECT_EQ(layers_.why_none(inputs("1.0-1", {})), "/etc/hostname is not in it any more");
}

}  // namespace
}  // namespace vprov::pipeline
