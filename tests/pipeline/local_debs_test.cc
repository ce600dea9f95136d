#include "pipeline/local_debs.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "os/temp_dir.h"
#include "pipeline/lock_file.h"
#include "unpack/made_deb.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class LocalDebs : public testing::Test {
  protected:
    fs::path deb(const std::string& file, const std::string& control) {
        os::write_file(work.path() / file, unpack::make_deb(control, {}, {{"./usr/bin/tool"}}));
        return work.path() / file;
    }

    std::string message(const std::vector<fs::path>& paths) {
        try {
            read_local_debs(paths, "amd64");
        } catch (const Error& e) {
            return e.kind() == ErrorKind::recipe ? e.message() : "another kind of error: " + e.message();
        }
        return "none";
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
};

constexpr const char* kTool =
    "Package: tool\nVersion: 1:2.0-1\nArchitecture: all\nDepends: libc6\nDescription: a\n b\n";

TEST_F(LocalDebs, AreAReleaseOfTheirOwn) {
    const auto debs = read_local_debs({deb("tool.deb", kTool)}, "amd64");
    const auto digest = sha256(os::read_file(work.path() / "tool.deb")).hex();
    EXPECT_EQ(debs.at(0).origin(), fmt::format("tool.deb tool 1:2.0-1 {}", digest));
    const auto local = local_packages(debs);
    EXPECT_EQ(local.text, fmt::format("{}Filename: tool.deb\nSize: {}\nSHA256: {}\n\n", kTool,
                                      fs::file_size(work.path() / "tool.deb"), digest));
    EXPECT_EQ(local.release.suite, "local-debs");
    EXPECT_EQ(wishes_for(debs), std::vector<std::string>{"tool/local-debs"});
}

TEST_F(LocalDebs, TheResolverTakesThemOverTheArchives) {
    const auto debs = read_local_debs({deb("tool.deb", kTool)}, "amd64");
    deb::PackageIndex index("amd64");
    deb::Release archive;
    archive.suite = "sid";
    const std::string rest = "Filename: a.deb\nSize: 1\nSHA256: " + std::string(64, 'a') + "\n\n";
    index.add(archive, "Package: tool\nVersion: 3.0\nArchitecture: all\n" + rest +
                           "Package: libc6\nVersion: 1\nArchitecture: amd64\n" + rest);
    const auto local = local_packages(debs);
    index.add(local.release, local.text);
    resolve::Request request;
    request.variant = resolve::Variant::essential;
    request.include = wishes_for(debs);
    std::string chosen;
    for (const auto& selected : resolve::resolve(index, request).packages)
        chosen += fmt::format("{} {} {}; ", selected.package->name, selected.package->version, selected.automatic);
    EXPECT_EQ(chosen, "libc6 1 true; tool 1:2.0-1 false; ");
}

TEST_F(LocalDebs, AreFoundInTheCache) {
    const auto debs = read_local_debs({deb("tool.deb", kTool)}, "amd64");
    const archive::Cache cache(work.path() / "cache");
    keep_in_cache(debs, cache);
    EXPECT_TRUE(cache.find(debs[0].sha256, debs[0].size));
    const archive::Cache other(work.path() / "other");
    deb("tool.deb", "Package: other\nVersion: 1\nArchitecture: all\n");
    EXPECT_THROW(keep_in_cache(debs, other), Error);
}

TEST_F(LocalDebs, WhatIsNoneIsRefused) {
    const auto arm = deb("arm.deb", "Package: arm\nVersion: 1\nArchitecture: arm64\n");
    EXPECT_EQ(message({arm}),
              fmt::format("cannot use the package '{}': it is for arm64, and the guest for amd64", arm.native()));
    const auto one = deb("one.deb", kTool), two = deb("two.deb", kTool);
    EXPECT_EQ(message({one, two}),
              fmt::format("cannot use the package '{}': tool is in '{}' as well", two.native(), one.native()));
    const auto nameless = deb("nameless.deb", "Version: 1\nArchitecture: all\n");
    EXPECT_EQ(message({nameless}),
              fmt::format("cannot use the package '{}': its control file lacks Package, Version or Architecture",
                          nameless.native()));
    os::write_file(work.path() / "text.deb", "no package\n");
    EXPECT_EQ(message({work.path() / "text.deb"}).find("cannot use the package '"), 0U);
}

TEST_F(LocalDebs, ALockHasThemByTheirDigest) {
    BootstrapRequest request;
    request.architecture = "amd64";
    request.repositories = {{"http://mirror.example.org/debian", "sid", {"main"}, {}, false, true}};
    request.debs = read_local_debs({deb("tool.deb", kTool)}, "amd64");
    Selection selection{deb::PackageIndex("amd64"), {}, {}};
    deb::Release release;
    release.uri = "http://mirror.example.org/debian";
    release.suite = "sid";
    release.digest = sha256("");
    selection.index.add(release, "Package: libc6\nVersion: 1\nArchitecture: amd64\nFilename: a.deb\nSize: 1\nSHA256: " +
                                     std::string(64, 'a') + "\n");
    const auto local = local_packages(request.debs);
    selection.index.add(local.release, local.text);
    for (const auto& package : selection.index.packages()) selection.packages.packages.push_back({&package, false});
    const auto lock = read_lock(write_lock(request, selection), "a.lock");
    EXPECT_EQ(lock.request.debs, std::vector<std::string>{request.debs[0].origin()});
    const auto again = locked_selection(lock, request);
    EXPECT_EQ(resolve::canonical_text(again.packages), resolve::canonical_text(selection.packages));
    const auto before = request.debs[0].origin();
    request.debs = read_local_debs({deb("tool.deb", "Package: tool\nVersion: 1:2.0-1\nArchitecture: all\n")}, "amd64");
    try {
        locked_selection(lock, request);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), fmt::format("cannot use the lock: the list of local packages has '{}', which it was not "
                                           "made for; lock anew",
                                           request.debs[0].origin()));
        EXPECT_NE(request.debs[0].origin(), before);
    }
}

}  // namespace
}  // namespace vprov::pipeline
