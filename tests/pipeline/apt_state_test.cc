#include <gtest/gtest.h>

#include "os/temp_dir.h"
#include "pipeline/apt_lists.h"
#include "pipeline/deb_folder.h"
#include "pipeline/tree_text.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

TEST(AptLists, NamesAreThoseOfApt) {
    EXPECT_EQ(apt_list_name("http://mirror.example.org/debian/dists/sid/InRelease"),
              "mirror.example.org_debian_dists_sid_InRelease");
    EXPECT_EQ(apt_list_name("http://localhost:3142/d/dists/sid/main/binary-amd64/Packages"),
              "localhost:3142_d_dists_sid_main_binary-amd64_Packages");
    EXPECT_EQ(apt_list_name("https://me:secret@h.example.org/a_b~c/InRelease"), "h.example.org_a%5fb%7ec_InRelease");
    EXPECT_EQ(apt_list_name("file:/srv/debian/dists/sid/InRelease"), "_srv_debian_dists_sid_InRelease");
}

class DebFolder : public testing::Test {
  protected:
    deb::Package package(std::string_view name, std::string_view version, const std::string& content) const {
        deb::Package made;
        made.name = name;
        made.version = version;
        made.architecture = "amd64";
        made.size = Bytes{content.size()};
        made.sha256 = sha256(content);
        return made;
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path folder_ = work_.path() / "debs";
    archive::Cache cache_{work_.path() / "cache"};
};

TEST_F(DebFolder, NamesAreThoseOfApt) {
    EXPECT_EQ(deb_name(package("zlib1g", "1:1.2.13.dfsg-1", "")), "zlib1g_1%3a1.2.13.dfsg-1_amd64.deb");
}

TEST_F(DebFolder, OnlyWhatIsWhatTheIndexSaysIsTaken) {
    const auto good = package("good", "1", "a package"), forged = package("forged", "1", "the real one");
    const auto missing = package("missing", "1", "another");
    fs::create_directory(folder_);
    os::write_file(folder_ / "good_1_amd64.deb", "a package");
    os::write_file(folder_ / "forged_1_amd64.deb", "another one.");  // as long
    adopt_debs(folder_, {&good, &forged, &missing}, cache_);
    ASSERT_TRUE(cache_.find(good.sha256, good.size));
    EXPECT_EQ(os::read_file(*cache_.find(good.sha256, good.size)), "a package");
    EXPECT_FALSE(cache_.find(forged.sha256, forged.size));
    EXPECT_FALSE(cache_.find(missing.sha256, missing.size));
}

TEST_F(DebFolder, KeepsWhatItHasNot) {
    const auto one = package("one", "1", "first"), two = package("two", "2:1", "second");
    fs::create_directories(work_.path() / "from");
    os::write_file(work_.path() / "from/one_1_amd64.deb", "first");
    os::write_file(work_.path() / "from/two_2%3a1_amd64.deb", "second");
    adopt_debs(work_.path() / "from", {&one, &two}, cache_);
    fs::create_directory(folder_);
    os::write_file(folder_ / "one_1_amd64.deb", "cut");
    keep_debs(folder_, {&one, &two}, cache_);
    EXPECT_EQ(tree_text(folder_), "one_1_amd64.deb=first\ntwo_2%3a1_amd64.deb=second\n");
}

}  // namespace
}  // namespace vprov::pipeline
