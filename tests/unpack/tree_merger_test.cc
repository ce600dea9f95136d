#include "bootstrap/unpack/tree_merger.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "base/error.h"
#include "os/temp_dir.h"

namespace vprov::unpack {
namespace {
namespace fs = std::filesystem;

class Merging : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(work_.path() / "root/usr/bin");
        fs::create_symlink("usr/bin", work_.path() / "root/bin");
        root_.emplace(work_.path() / "root");
        database_.emplace(*root_, "amd64");
        merger_.emplace(*root_, *database_);
    }
    struct Made {
        std::string name, replaces, conffiles;
        std::vector<Entry> entries;
        std::string architecture = "all";  // any other: Multi-Arch: same
        std::string content = "";          // of its files; "": its name
    };
    void merge(Made made) {
        const auto key = made.name + ":" + made.architecture;
        auto& package = packages_[key];
        auto& texts = texts_[key] = std::move(made);
        package.name = texts.name;
        package.version = "1";
        package.architecture = texts.architecture;
        package.multi_arch = texts.architecture == "all" ? "" : "same";
        package.replaces = texts.replaces;
        StagedPackage staged;
        staged.package = &package;
        staged.directory = work_.path() / ("stage-" + key);
        staged.control.push_back(
            {"control", 0644, "Package: " + texts.name + "\nVersion: 1\nArchitecture: " + texts.architecture + "\n"});
        if (!texts.conffiles.empty())
            staged.control.push_back({"conffiles", 0644, texts.conffiles});
        fs::create_directory(staged.directory);
        for (auto& entry : texts.entries) {
            if (entry.kind == EntryKind::file) {
                entry.content = next_++;
                os::write_file(staged.directory / std::to_string(entry.content),
                               texts.content.empty() ? texts.name : texts.content);
            }
            staged.entries.push_back(entry);
        }
        merger_->merge(staged);
    }
    static Entry entry(std::string path, EntryKind kind = EntryKind::file, std::string target = "",
                       unsigned mode = 0644) {
        Entry e;
        e.path = std::move(path);
        e.kind = kind;
        e.target = std::move(target);
        e.mode = mode;
        return e;
    }
    std::string list_of(const std::string& package) {
        database_->flush();
        return root_->read("/var/lib/dpkg/info/" + package + ".list");
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    std::optional<os::RootDir> root_;
    std::optional<DpkgDatabase> database_;
    std::optional<TreeMerger> merger_;
    std::map<std::string, deb::Package> packages_;
    std::map<std::string, Made> texts_;
    std::uint32_t next_ = 0;
};

TEST_F(Merging, ALinkToADirectoryStaysWhereAPackageHasADirectory) {
    merge({"a",
           "",
           "",
           {entry("", EntryKind::directory, "", 0755), entry("bin", EntryKind::directory, "", 0755), entry("bin/x")}});
    EXPECT_TRUE(fs::is_symlink(root_->path() / "bin"));
    EXPECT_EQ(root_->read("/usr/bin/x"), "a");
    EXPECT_EQ(list_of("a"), "/.\n/bin\n/bin/x\n");
}

TEST_F(Merging, ADirectoryKeepsTheModeItHad) {
    merge({"a", "", "", {entry("srv", EntryKind::directory, "", 0700)}});
    merge({"b", "", "", {entry("srv", EntryKind::directory, "", 0755)}});
    EXPECT_EQ(root_->status("/srv")->st_mode & 07777, 0700U);
}

TEST_F(Merging, ConffilesWaitForDpkgUnderTheirTemporaryName) {
    merge({"a", "", "/etc/a.conf\n", {entry("etc", EntryKind::directory, "", 0755), entry("etc/a.conf")}});
    EXPECT_FALSE(root_->exists("/etc/a.conf"));
    EXPECT_EQ(root_->read("/etc/a.conf.dpkg-new"), "a");
    EXPECT_EQ(list_of("a"), "/etc\n/etc/a.conf\n");
    EXPECT_NE(root_->read("/var/lib/dpkg/status").find("Conffiles:\n /etc/a.conf newconffile\n"), std::string::npos);
}

TEST_F(Merging, TwoPackagesCannotOwnOneFile) {
    merge({"a", "", "", {entry("f")}});
    try {
        merge({"b", "", "", {entry("f")}});
        FAIL() << "b took a's file";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot unpack b 1: trying to overwrite '/f', which is also in package a 1");
        EXPECT_EQ(e.kind(), ErrorKind::packages);
    }
}

TEST_F(Merging, ArchitecturesShareWhatIsTheSame) {
    const std::vector<Entry> entries = {entry("etc", EntryKind::directory), entry("etc/lib.conf"),
                                        entry("usr/bin/shared"), entry("usr/bin/link", EntryKind::symlink, "shared")};
    merge({"lib", "", "/etc/lib.conf\n", entries, "amd64"});
    fs::rename(work_.path() / "root/etc/lib.conf.dpkg-new", work_.path() / "root/etc/lib.conf");  // it is configured
    os::write_file(work_.path() / "root/etc/lib.conf", "changed by a script");
    merge({"lib", "", "/etc/lib.conf\n", entries, "i386"});
    EXPECT_EQ(root_->read("/etc/lib.conf"), "changed by a script");
    EXPECT_FALSE(root_->exists("/etc/lib.conf.dpkg-new"));
    EXPECT_EQ(list_of("lib:i386"), "/etc\n/etc/lib.conf\n/usr/bin/shared\n/usr/bin/link\n");
    EXPECT_EQ(list_of("lib:amd64"), list_of("lib:i386"));
}

TEST_F(Merging, ArchitecturesMustNotDifferInWhatTheyShare) {
    const auto failure = [&](const std::string& name, const std::string& conffiles, const std::string& path) {
        merge({name, "", conffiles, {entry("etc", EntryKind::directory), entry(path)}, "amd64"});
        try {
            merge({name, "", conffiles, {entry("etc", EntryKind::directory), entry(path)}, "i386", "another"});
        } catch (const Error& e) {
            return e.message();
        }
        return std::string("no error");
    };
    EXPECT_EQ(
        failure("lib", "", "usr/bin/lib"),
        "cannot unpack lib 1: trying to overwrite shared '/usr/bin/lib', which is different from other instances of "
        "package lib");
    EXPECT_EQ(
        failure("libc", "/etc/c.conf\n", "etc/c.conf"),
        "cannot unpack libc 1: trying to overwrite shared '/etc/c.conf', which is different from other instances of "
        "package libc");
}

TEST_F(Merging, ReplacesDecidesWhoseFileItIsInEitherOrder) {
    merge({"a", "", "", {entry("f"), entry("g")}});
    merge({"b", "a (<< 2)", "", {entry("f")}});
    EXPECT_EQ(root_->read("/f"), "b");
    EXPECT_EQ(list_of("a"), "/g\n");
    EXPECT_EQ(list_of("b"), "/f\n");
    merge({"c", "", "", {entry("f2")}});
    merge({"d", "e", "", {entry("h")}});
    merge({"e", "", "", {entry("h")}});
    EXPECT_EQ(root_->read("/h"), "d");
    EXPECT_EQ(list_of("e"), "");
}

TEST_F(Merging, DivertedFilesGoElsewhereButAreListedUnderTheirName) {
    root_->write("/var/lib/dpkg/diversions", "/usr/bin/x\n/usr/bin/x.real\nb\n");
    database_->load_diversions();
    merge({"a", "", "", {entry("usr/bin/x")}});
    merge({"b", "", "", {entry("usr/bin/x")}});
    EXPECT_EQ(root_->read("/usr/bin/x.real"), "a");
    EXPECT_EQ(root_->read("/usr/bin/x"), "b");
    EXPECT_EQ(list_of("a"), "/usr/bin/x\n");
}

TEST_F(Merging, APlantedLinkLeadsNowhereOutside) {
    os::write_file(work_.path() / "outside", "mine");
    merge({"a", "", "", {entry("up", EntryKind::symlink, "../../.."), entry("abs", EntryKind::symlink, "/")}});
    merge({"b", "", "", {entry("up/outside"), entry("abs/etc2", EntryKind::directory, "", 0755)}});
    EXPECT_EQ(os::read_file(work_.path() / "outside"), "mine");
    EXPECT_EQ(root_->read("/outside"), "b");
    EXPECT_TRUE(root_->exists("/etc2"));
}

TEST_F(Merging, HardLinksAreLinks) {
    merge({"a", "", "", {entry("x"), entry("y", EntryKind::hardlink, "x")}});
    EXPECT_EQ(root_->status("/x")->st_ino, root_->status("/y")->st_ino);
}

}  // namespace
}  // namespace vprov::unpack
