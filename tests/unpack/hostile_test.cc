// Packages that want more than their place: each is refused in so many words, or stays inside of the tree.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/unpack/tree_merger.h"
#include "os/temp_dir.h"
#include "unpack/made_deb.h"

namespace vprov::unpack {
namespace {
namespace fs = std::filesystem;

// PLACE/root is the tree; all else in PLACE stands for the host.
class Hostile : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(place_ / "root/etc");
        fs::create_directory(place_ / "host");
        os::write_file(place_ / "host/shadow", "root:*\n");
        root_.emplace(place_ / "root");
        root_->make_directories((place_ / "host").native());  // for links that are followed, and end inside
        database_.emplace(*root_, "amd64");
        merger_.emplace(*root_, *database_);
    }
    void TearDown() override {
        fs::remove_all(place_ / "stage");
        EXPECT_EQ(os::read_file(place_ / "host/shadow"), "root:*\n");
        struct stat status {};
        ASSERT_EQ(::stat((place_ / "host/shadow").c_str(), &status), 0);
        EXPECT_EQ(status.st_nlink, 1U);
        EXPECT_EQ(status.st_mode & 07777, 0644U);
        std::size_t entries = 0;
        for ([[maybe_unused]] const auto& entry : fs::recursive_directory_iterator(place_ / "host")) ++entries;
        EXPECT_EQ(entries, 1U);
    }

    // What is said of a .deb; "" when it is taken.
    std::string verdict(const std::string& deb, std::string_view name = "a", StagingLimits limits = {}) {
        fs::remove_all(place_ / "stage");
        os::write_file(place_ / "x.deb", deb);
        auto& package = packages_[std::string(name)];
        package.name = name;
        package.version = "1";
        package.architecture = "all";
        try {
            merger_->merge(stage_package(package, place_ / "x.deb", place_ / "stage", limits));
        } catch (const Error& e) {
            EXPECT_TRUE(e.kind() == ErrorKind::archive || e.kind() == ErrorKind::packages) << e.message();
            return e.message();
        }
        return "";
    }
    static std::string control(std::string_view name = "a") {
        return fmt::format("Package: {}\nVersion: 1\nArchitecture: all\nDescription: x\n", name);
    }
    std::string with_data(const std::vector<Member>& data, std::string_view name = "a", StagingLimits limits = {}) {
        return verdict(make_deb(control(name), {}, data), name, limits);
    }
    std::string with_control(const std::vector<Member>& files) {
        return verdict(make_deb(control(), files, {{"./etc/f", 'f', "x"}}));
    }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path place_ = work_.path();
    std::optional<os::RootDir> root_;
    std::optional<DpkgDatabase> database_;
    std::optional<TreeMerger> merger_;
    std::map<std::string, deb::Package, std::less<>> packages_;
};

TEST_F(Hostile, DotDot) {
    EXPECT_EQ(with_data({{"../host/shadow", 'f', "x"}}),
              "cannot unpack a 1: its member '../host/shadow' leads out of it");
    EXPECT_EQ(with_data({{"./etc/../../host/d/", 'd', "", 0755}}),
              "cannot unpack a 1: its member './etc/../../host/d/' leads out of it");
    EXPECT_EQ(with_data({{"./l", 'h', "../host/shadow"}}),
              "cannot unpack a 1: its member '../host/shadow' leads out of it");
}

TEST_F(Hostile, AbsoluteNamesAreTheTrees) {
    EXPECT_EQ(with_data({{(place_ / "host/new").native(), 'f', "x"}}), "");
    EXPECT_EQ(root_->read((place_ / "host/new").native()), "x");
}

TEST_F(Hostile, ALinkOfItsOwn) {
    EXPECT_EQ(with_data({{"./up", 'l', "../../../../../../../.."}, {"./up/host/shadow", 'f', "mine"}}), "");
    EXPECT_EQ(root_->read("/host/shadow"), "mine");
    EXPECT_EQ(with_data({{"./abs", 'l', place_.native()}, {"./abs/host/shadow", 'f', "mine"}}, "b"), "");
    EXPECT_EQ(root_->read((place_ / "host/shadow").native()), "mine");
}

TEST_F(Hostile, ALinkOfAnEarlierPackage) {
    EXPECT_EQ(with_data({{"./up", 'l', "../.."}, {"./abs", 'l', (place_ / "host").native()}}), "");
    EXPECT_EQ(with_data({{"./up/host", 'd', "", 0777}, {"./up/host/shadow", 'f', "mine", 04777}}, "b"), "");
    EXPECT_EQ(with_data({{"./abs", 'd', "", 0777}, {"./abs/shadow", 'f', "mine", 04777}}, "c"), "");
    EXPECT_EQ(root_->read("/host/shadow"), "mine");
    EXPECT_EQ(root_->read((place_ / "host/shadow").native()), "mine");
}

TEST_F(Hostile, ALinkInThePlaceOfAFile) {
    EXPECT_EQ(with_data({{"./f", 'l', (place_ / "host/shadow").native()}}), "");
    EXPECT_EQ(with_data({{"./f", 'f', "x"}}, "b"),
              "cannot unpack b 1: trying to overwrite '/f', which is also in package a 1");
    EXPECT_EQ(with_data({{"./g", 'l', (place_ / "host/shadow").native()}, {"./g", 'f', "x"}}, "c"), "");
    EXPECT_EQ(root_->read("/g"), "x");
}

TEST_F(Hostile, ALinkInThePlaceOfTheDatabase) {
    root_->write((place_ / "host/shadow").native(), "");
    EXPECT_EQ(with_data({{"./var/lib/dpkg/status", 'l', (place_ / "host/shadow").native()},
                         {"./var/lib/dpkg/info/a.list", 'l', (place_ / "host/shadow").native()}}),
              "");
    database_->flush();
    EXPECT_TRUE(root_->read("/var/lib/dpkg/status").starts_with("Package: a\n"));
}

TEST_F(Hostile, AHardLinkToTheOutside) {
    const auto outside = (place_ / "host/shadow").native();
    EXPECT_EQ(
        with_data({{"./etc/mine", 'h', outside}}),
        fmt::format("cannot unpack a 1: its member 'etc/mine' is a hard link to '{}', which is not in it", outside));
    EXPECT_EQ(with_data({{"./up", 'l', "/"}, {"./etc/mine", 'h', "up/host/shadow"}}),
              "cannot unpack a 1: its member 'etc/mine' is a hard link to 'up/host/shadow', which is not in it");
}

TEST_F(Hostile, AHardLinkToASymbolicLinkLinksTheLink) {
    EXPECT_EQ(with_data({{"./l", 'l', (place_ / "host/shadow").native()}, {"./m", 'h', "l"}}), "");
    EXPECT_EQ(root_->read_link("/m"), (place_ / "host/shadow").native());
}

TEST_F(Hostile, DeviceNodes) {
    EXPECT_EQ(with_data({{"./etc/null", 'c', ""}}),
              "cannot unpack a 1: its member 'etc/null' is a device node, which no package may bring");
    EXPECT_EQ(with_data({{"./dev/sda", 'b', ""}}),
              "cannot unpack a 1: its member 'dev/sda' is a device node, which no package may bring");
}

TEST_F(Hostile, MembersByTheMillion) {
    std::vector<Member> members(50, {"./etc", 'd', "", 0755});
    EXPECT_EQ(with_data(members, "a", {.members = 49}), "cannot unpack a 1: it has more than 49 members");
    EXPECT_EQ(with_data(members, "a", {.members = 50}), "");
    EXPECT_EQ(with_control(std::vector<Member>(1000, {"./x", 'f', ""})),
              "cannot unpack a 1: its control.tar is damaged: it has more than 1000 members");
}

TEST_F(Hostile, Bombs) {
    const std::string zeros(1 << 20, '\0');
    const StagingLimits tight{.base = Bytes{1 << 20}, .ratio = 10};
    EXPECT_EQ(with_data({{"./a", 'f', zeros}}, "a", tight), "");
    EXPECT_EQ(with_data({{"./b", 'f', zeros}, {"./c", 'f', zeros}}, "b", tight).substr(0, 40),
              "cannot unpack b 1: it unpacks to more th");
    EXPECT_EQ(with_control({{"./x", 'f', std::string(65 << 20, '\0')}}),
              "cannot unpack a 1: its control.tar is damaged: it unpacks to more than 67.1 MB");
}

TEST_F(Hostile, WhatIsTooLargeIsNotEvenBegun) {
    const StagingLimits tight{.base = Bytes{1000}, .ratio = 0};
    EXPECT_EQ(with_data({{"./a", 'f', std::string(1001, 'x')}}, "a", tight),
              "cannot unpack a 1: it unpacks to more than 1.0 kB");
    EXPECT_EQ(fs::exists(place_ / "stage/0"), false);
}

TEST_F(Hostile, HugeNames) {
    EXPECT_EQ(with_data({{"./" + std::string(256, 'n'), 'f', ""}}),
              fmt::format("cannot unpack a 1: its member './{}'... has a name of 256 bytes", std::string(98, 'n')));
    std::string deep = ".";
    for (int i = 0; i < 2050; ++i) deep += "/d";
    EXPECT_EQ(with_data({{deep, 'f', ""}}),
              fmt::format("cannot unpack a 1: its member '{}'... has a path of 4099 bytes", deep.substr(0, 100)));
    EXPECT_EQ(with_data({{"./l", 'l', std::string(5000, 't')}}),
              "cannot unpack a 1: its symbolic link 'l' has a target of 5000 bytes");
    EXPECT_EQ(with_control({{"./" + std::string(300, 'n'), 'f', ""}}),
              fmt::format("cannot unpack a 1: its control.tar is damaged: a member is called '{}'...",
                          std::string(100, 'n')));
}

TEST_F(Hostile, OddNames) {
    EXPECT_EQ(with_data({{"./a\nb", 'f', ""}}), "cannot unpack a 1: its member './a\\nb' has a newline in its name");
    EXPECT_EQ(with_control({{"../../../host/shadow", 'f', ""}}),
              "cannot unpack a 1: its control.tar is damaged: a member is called '../../../host/shadow'");
    EXPECT_EQ(with_control({{"./triggers", 'f', "interest ../../../../../host/shadow\n"}}),
              "cannot unpack a 1: its triggers names '../../../../../host/shadow', which is no trigger");
    EXPECT_EQ(with_control({{"./conffiles", 'f', "host/shadow\n"}}),
              "cannot unpack a 1: its conffiles has a line 'host/shadow'");
}

TEST_F(Hostile, AnotherPackageThanTheIndexPromised) {
    EXPECT_EQ(verdict(make_deb(control("dpkg"), {}, {})),
              "cannot unpack a 1: its control file says that it is 'dpkg' '1' for 'all'");
    EXPECT_EQ(verdict(make_deb("Package: a\nVersion: 2\nArchitecture: all\n", {}, {})),
              "cannot unpack a 1: its control file says that it is 'a' '2' for 'all'");
    EXPECT_EQ(verdict(make_deb("Package: a\nVersion: 1\n", {}, {})),
              "cannot unpack a 1: cannot read line 1: the stanza has no Architecture");
}

TEST_F(Hostile, AStructureThatIsNone) {
    const auto path = quote((place_ / "x.deb").native());
    const auto says = [&](const std::string& deb, const std::string& cause) {
        EXPECT_EQ(verdict(deb), fmt::format("cannot unpack a 1: cannot read {}: {}", path, cause));
    };
    const std::pair<std::string, std::string> version = {"debian-binary", "2.0\n"};
    const std::pair<std::string, std::string> control_tar = {"control.tar.gz",
                                                             make_tar({{"./control", 'f', control()}})};
    const std::pair<std::string, std::string> data_tar = {"data.tar.gz", make_tar({{"./etc/f", 'f', "x"}})};
    says("", "it is empty");
    says("PK\3\4", "not an ar archive");
    says(make_ar({control_tar, version, data_tar}), "it does not start with debian-binary 2.x");
    says(make_ar({version, data_tar, control_tar}), "its member 'data.tar.gz' is out of place");
    says(make_ar({version, control_tar, control_tar, data_tar}), "its member 'control.tar.gz' is out of place");
    says(make_ar({version, control_tar, {"evil", "x"}, data_tar}), "its member 'evil' is out of place");
    says(make_ar({version, control_tar}), "it has no data.tar");
    const auto whole = make_ar({version, control_tar, data_tar});
    says(whole.substr(0, whole.size() - 20), "it ends in the middle of member 'data.tar.gz'");
    says(whole + "rest", "it ends in the middle of an ar header");
    EXPECT_EQ(verdict(make_ar({version, control_tar, data_tar, {"later", "x"}})), "") << "as for dpkg-deb";
}

TEST_F(Hostile, Truncated) {
    const auto data = make_tar({{"./etc/f", 'f', std::string(100000, 'x')}, {"./etc/g", 'f', "y"}});
    EXPECT_EQ(verdict(make_ar({{"debian-binary", "2.0\n"},
                               {"control.tar.gz", make_tar({{"./control", 'f', control()}})},
                               {"data.tar.gz", data.substr(0, data.size() / 2)}})),
              "cannot unpack a 1: truncated gzip input");
    EXPECT_EQ(verdict(make_ar({{"debian-binary", "2.0\n"}, {"control.tar.gz", "rubbish"}, {"data.tar.gz", data}})),
              "cannot unpack a 1: its control.tar is damaged: Unrecognized archive format");
}

TEST_F(Hostile, OwnersThatAreNone) {
    EXPECT_EQ(with_data({{"./etc/f", 'f', "", 04755, 0xffffffff}}),
              "cannot unpack a 1: its member 'etc/f' belongs to 4294967295, which is no user or group");
}

}  // namespace
}  // namespace vprov::unpack
