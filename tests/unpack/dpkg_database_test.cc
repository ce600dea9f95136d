#include "bootstrap/unpack/dpkg_database.h"

#include <gtest/gtest.h>

#include "os/temp_dir.h"

namespace vprov::unpack {
namespace {
namespace fs = std::filesystem;

class Database : public testing::Test {
  protected:
    StagedPackage made(deb::Package& package, std::string_view name, std::vector<ControlFile> control) {
        package.name = name;
        package.version = "1";
        package.architecture = "amd64";
        control.push_back(
            {"control", 0644,
             "Package: " + std::string(name) + "\nVersion: 1\nArchitecture: amd64\nDescription: short\n long\n"});
        StagedPackage staged;
        staged.package = &package;
        staged.control = std::move(control);
        return staged;
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    os::RootDir root_{work_.path()};
    DpkgDatabase database_{root_, "amd64"};
    deb::Package a_, b_;
};

TEST_F(Database, WritesAnUnpackedPackageAsDpkgDoes) {
    a_.multi_arch = "same";
    auto staged = made(a_, "liba", {{"postinst", 0755, "#!/bin/sh\n"}, {"md5sums", 0644, "x  y\n"}});
    database_.add(staged, {"/.", "/usr"});
    database_.flush();
    EXPECT_EQ(
        root_.read("/var/lib/dpkg/status"),
        "Package: liba\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: short\n long\n\n");
    EXPECT_EQ(root_.read("/var/lib/dpkg/info/liba:amd64.list"), "/.\n/usr\n");
    EXPECT_EQ(root_.status("/var/lib/dpkg/info/liba:amd64.postinst")->st_mode & 07777, 0755U);
    EXPECT_FALSE(root_.exists("/var/lib/dpkg/info/liba:amd64.control"));
    EXPECT_EQ(root_.read("/var/lib/dpkg/info/format"), "1\n");
}

TEST_F(Database, NamesForeignArchitecturesAsDpkgDoes) {
    const os::TempDir other(fs::temp_directory_path(), "vprov-test-");
    const os::RootDir root(other.path());
    const DpkgDatabase database(root, {"amd64", {"i386", "arm64"}});
    EXPECT_EQ(root.read("/var/lib/dpkg/arch"), "amd64\ni386\narm64\n");
    a_.name = "tool";
    a_.architecture = "i386";
    EXPECT_EQ(DpkgDatabase::info_name(a_), "tool");  // there is only one of that name
    a_.multi_arch = "same";
    EXPECT_EQ(DpkgDatabase::info_name(a_), "tool:i386");
}

TEST_F(Database, KeepsInterestsInTriggers) {
    const auto staged = made(
        a_, "a", {{"triggers", 0644, "# comment\ninterest-noawait /usr/share/a\ninterest update-a\nactivate x\n"}});
    database_.add(staged, {});
    database_.flush();
    EXPECT_EQ(root_.read("/var/lib/dpkg/triggers/File"), "/usr/share/a a/noawait\n");
    EXPECT_EQ(root_.read("/var/lib/dpkg/triggers/update-a"), "a\n");
    EXPECT_FALSE(root_.exists("/var/lib/dpkg/triggers/x"));
}

TEST_F(Database, AFileUnderAnInterestActivatesTheTrigger) {
    database_.add(made(a_, "a", {{"triggers", 0644, "interest-noawait /usr/share/a\ninterest /usr/share/w\n"}}), {});
    database_.flush();
    EXPECT_EQ(root_.read("/var/lib/dpkg/triggers/Unincorp"), "");
    database_.add(made(b_, "b", {}), {"/usr/share/abc", "/usr/share/a/x", "/usr/share/w"});
    database_.flush();
    EXPECT_EQ(root_.read("/var/lib/dpkg/triggers/Unincorp"), "/usr/share/a -\n/usr/share/w b\n");
}

TEST_F(Database, ConffilesThatAreToBeRemovedAreKnownToo) {
    database_.add(made(a_, "a", {{"conffiles", 0644, "/etc/a\nremove-on-upgrade /etc/old\n"}}), {"/etc/a"});
    database_.flush();
    EXPECT_EQ(root_.read("/var/lib/dpkg/status"),
              "Package: a\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: short\n long\n"
              "Conffiles:\n /etc/a newconffile\n /etc/old newconffile remove-on-upgrade\n\n");
}

TEST_F(Database, ADiversionDoesNotConcernItsOwnPackage) {
    root_.write("/var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.distrib\ndash\n");
    database_.load_diversions();
    EXPECT_EQ(database_.diverted("/bin/sh", "bash"), "/bin/sh.distrib");
    EXPECT_EQ(database_.diverted("/bin/sh", "dash"), std::nullopt);
    EXPECT_EQ(database_.diverted("/bin/ls", "bash"), std::nullopt);
}

}  // namespace
}  // namespace vprov::unpack
