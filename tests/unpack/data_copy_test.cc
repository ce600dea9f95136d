#include "bootstrap/unpack/data_copy.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "bootstrap/unpack/staging.h"
#include "os/temp_dir.h"
#include "unpack/made_deb.h"

namespace vprov::unpack {
namespace {
namespace fs = std::filesystem;

class DataCopyTest : public testing::Test {
  protected:
    DataCopyTest() {
        package_.name = "a";
        package_.version = "1";
        package_.architecture = "all";
        os::write_file(deb_, make_deb("Package: a\nVersion: 1\nArchitecture: all\nDescription: a\n", {},
                                      {{"./usr/bin/x", 'f', "from the package", 0755}, {"./l", 'l', "usr"}}));
    }

    // What the only file of the package says.
    std::string staged() {
        const auto place = work_.path() / fmt::format("stage-{}", ++stages_);
        const auto package = stage_package(package_, deb_, place, {}, copy_);
        EXPECT_EQ(package.entries.size(), 2U);
        return os::read_file(place / "0");
    }

    fs::path only_file() const { return fs::directory_iterator(copy_)->path(); }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path deb_ = work_.path() / "a.deb", copy_ = work_.path() / "copy";
    deb::Package package_;
    int stages_ = 0;
};

TEST_F(DataCopyTest, IsReadInsteadOfThePackage) {
    write_data_copy(deb_, copy_);
    EXPECT_EQ(staged(), "from the package");
    const auto other = work_.path() / "other.deb";  // the same, but for what the file says
    os::write_file(other, make_deb("Package: a\nVersion: 1\nArchitecture: all\nDescription: a\n", {},
                                   {{"./usr/bin/x", 'f', "from the copy", 0755}, {"./l", 'l', "usr"}}));
    fs::remove_all(copy_);
    write_data_copy(other, copy_);
    EXPECT_EQ(staged(), "from the copy");
}

TEST_F(DataCopyTest, OneThatIsDamagedIsRemoved) {
    write_data_copy(deb_, copy_);
    auto bytes = os::read_file(only_file());
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    os::write_file(only_file(), bytes);
    EXPECT_EQ(staged(), "from the package");
    EXPECT_FALSE(fs::exists(copy_));
}

TEST_F(DataCopyTest, OneThatIsNotThereIsNoMatter) {
    EXPECT_EQ(open_data_copy(copy_), nullptr);
    EXPECT_EQ(staged(), "from the package");
}

TEST_F(DataCopyTest, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(write_data_copy(deb_, copy_, stop.get_token()), Error);
    EXPECT_EQ(open_data_copy(copy_), nullptr);
}

TEST_F(DataCopyTest, IsNotMadeOfWhatCannotBeRead) {
    os::write_file(deb_, "!<arch>\n");
    try {
        write_data_copy(deb_, copy_);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::archive);
    }
}

}  // namespace
}  // namespace vprov::unpack
