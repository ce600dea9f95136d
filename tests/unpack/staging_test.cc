#include "bootstrap/unpack/staging.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "os/temp_dir.h"
#include "unpack/made_deb.h"

namespace vprov::unpack {
namespace {
namespace fs = std::filesystem;

constexpr const char* kControl = "Package: a\nVersion: 1\nArchitecture: all\nDescription: a\n";

class Staging : public testing::Test {
  protected:
    deb::Package package() const {
        deb::Package p;
        p.name = "a";
        p.version = "1";
        p.architecture = "all";
        return p;
    }
    fs::path write_deb(const std::string& bytes) {
        os::write_file(work_.path() / "a.deb", bytes);
        return work_.path() / "a.deb";
    }
    StagedPackage stage(const std::vector<Member>& data, const std::vector<Member>& control = {}) {
        return stage_package(package_, write_deb(make_deb(kControl, control, data)), work_.path() / "0", {});
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    deb::Package package_ = package();
};

TEST_F(Staging, KeepsWhatDpkgWouldKeep) {
    const auto staged = stage({{"./", 'd', "", 0755},
                               {"./usr/bin/x", 'f', "hello", 04755},
                               {"./usr/bin/y", 'h', "./usr/bin/x"},
                               {"./l", 'l', "/etc/../x"}});
    ASSERT_EQ(staged.entries.size(), 4U);
    EXPECT_EQ(staged.entries[0].path, "");
    EXPECT_EQ(staged.entries[1].mode, 04755U);
    EXPECT_EQ(staged.entries[1].md5, "5d41402abc4b2a76b9719d911017c592") << "a package without md5sums gets them";
    EXPECT_EQ(staged.entries[2].kind, EntryKind::hardlink);
    EXPECT_EQ(staged.entries[2].target, "usr/bin/x");
    EXPECT_EQ(staged.entries[3].target, "/etc/../x");
    struct stat status {};
    ASSERT_EQ(::stat((staged.directory / "0").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 04755U);
    EXPECT_EQ(status.st_mtime, 1700000000);
}

TEST_F(Staging, TakesNoDigestsWhereThePackageBringsThem) {
    EXPECT_EQ(stage({{"./f", 'f', "x"}}, {{"./md5sums", 'f', "9dd4e461268c8034f5c8564e155c67a6  f\n"}}).entries[0].md5,
              "");
}

TEST_F(Staging, TheStagerGivesEachPackageAndTheFirstFailure) {
    SilentProgress progress;
    fs::create_directory(work_.path() / "stage");
    Stager stager(work_.path() / "stage", progress);
    const auto good = write_deb(make_deb(kControl, {}, {{"./f", 'f', "x"}}));
    stager.add(package_, good);
    EXPECT_EQ(stager.get(package_).entries.size(), 1U);
    os::write_file(work_.path() / "bad.deb", "rubbish");
    auto other = package();
    other.name = "b";
    stager.add(other, work_.path() / "bad.deb");
    EXPECT_THROW(stager.get(other), Error);
}

}  // namespace
}  // namespace vprov::unpack
