#include "pipeline/lock_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"

namespace vprov::pipeline {
namespace {

constexpr const char* kPackages = R"(Package: web
Version: 1:1.0-1
Architecture: amd64
Essential: yes
Installed-Size: 12
Depends: libweb (>= 1.0),
 other | another
Filename: pool/web.deb
Size: 1000
SHA256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

Package: libweb
Version: 1.0
Architecture: all
Multi-Arch: same
Filename: pool/libweb.deb
Size: 2000
SHA256: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
)";

constexpr const char* kLock =
    R"(# The packages of a build: made by 'vprov lock', taken by 'vprov build --locked'. vprov(1), LOCK FILES.
format = 1

[request]
architecture = "amd64"
variant = "minbase"
repositories = ["sid main contrib"]
include = ["web"]
exclude = []
recommends = false

[[release]]
uri = "http://mirror.example.org/debian"
suite = "sid"
codename = "sid"
version = ""
date = "Sat, 11 Jul 2026 10:16:37 UTC"
key = "ABCD"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[[package]]
name = "libweb"
version = "1.0"
architecture = "all"
size = 2000
sha256 = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
path = "pool/libweb.deb"
release = 0
automatic = true
control = """
Installed-Size: 0
Multi-Arch: same
"""

[[package]]
name = "web"
version = "1:1.0-1"
architecture = "amd64"
size = 1000
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
path = "pool/web.deb"
release = 0
automatic = false
control = """
Essential: yes
Installed-Size: 12
Depends: libweb (>= 1.0), other | another
"""
)";

BootstrapRequest example_request() {
    BootstrapRequest request;
    request.architecture = "amd64";
    request.repositories = {{"http://mirror.example.org/debian", "sid", {"main", "contrib"}, {}, false, true}};
    request.packages.variant = resolve::Variant::minbase;
    request.packages.include = {"web"};
    return request;
}

Selection example_selection() {
    Selection selection{deb::PackageIndex("amd64"), {}, {}};
    deb::Release release;
    release.uri = "http://mirror.example.org/debian";
    release.suite = release.codename = "sid";
    release.date = "Sat, 11 Jul 2026 10:16:37 UTC";
    release.key = "ABCD";
    release.digest = sha256("");
    selection.index.add(release, kPackages);
    const auto packages = selection.index.packages();
    selection.packages.packages = {{&packages[0], false}, {&packages[1], true}};
    resolve::sort(selection.packages);
    return selection;
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        return e.message();
    }
    return "no error";
}

TEST(LockFile, IsTomlThatReadsBack) {
    EXPECT_EQ(write_lock(example_request(), example_selection()), kLock);
    const auto lock = read_lock(kLock, "a.lock");
    EXPECT_EQ(lock.packages.size(), 2U);
    EXPECT_EQ(lock.releases.at(0).key, "ABCD");
}

TEST(LockFile, GivesTheSamePackagesFromAnyMirror) {
    auto request = example_request();
    request.repositories[0].uri = "http://snapshot.example.org/2026";
    const auto selection = locked_selection(read_lock(kLock, "a.lock"), request);
    EXPECT_EQ(resolve::canonical_text(selection.packages), resolve::canonical_text(example_selection().packages));
    EXPECT_EQ(resolve::canonical_text(selection.packages),
              "libweb 1.0 all bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
              "web 1:1.0-1 amd64 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    EXPECT_EQ(selection.index.releases()[0].uri, "http://snapshot.example.org/2026");
    EXPECT_EQ(selection.mirrors,
              (std::vector<std::string>{"http://mirror.example.org/debian", "http://snapshot.example.org/2026"}));
    const auto& web = *selection.packages.packages.at(1).package;
    EXPECT_EQ(web.depends, "libweb (>= 1.0), other | another");
    EXPECT_TRUE(web.essential);
    EXPECT_EQ(web.installed_size, 12_KiB);
    EXPECT_TRUE(selection.packages.packages.at(0).automatic);
}

TEST(LockFile, TellsArchitecturesApart) {
    auto text = std::string(kPackages);
    auto foreign = text.substr(text.find("Package: libweb"));
    foreign.replace(foreign.find("all"), 3, "i386");
    foreign.replace(foreign.find("bbbb"), 4, "cccc");
    auto request = example_request();
    request.foreign_architectures = {"i386"};
    Selection selection{deb::PackageIndex(request.architectures()), {}, {}};
    selection.index.add(example_selection().index.releases()[0], text + "\n" + foreign);
    for (const auto& package : selection.index.packages()) selection.packages.packages.push_back({&package, false});
    resolve::sort(selection.packages);
    const auto lock = read_lock(write_lock(request, selection), "a.lock");
    EXPECT_EQ(lock.request.foreign_architectures, std::vector<std::string>{"i386"});
    EXPECT_EQ(resolve::canonical_text(locked_selection(lock, request).packages),
              resolve::canonical_text(selection.packages));
    EXPECT_EQ(changes(read_lock(kLock, "a.lock"), lock), std::vector<std::string>{"+ libweb:i386 1.0"});
    request.foreign_architectures = {"arm64"};
    EXPECT_EQ(
        message_of([&] { locked_selection(lock, request); }),
        "cannot use the lock: the list of foreign architectures has 'arm64', which it was not made for; lock anew");
}

TEST(LockFile, IsForOneRequestOnly) {
    const auto refusal = [](const std::function<void(BootstrapRequest&)>& change) {
        auto request = example_request();
        change(request);
        return message_of([&] { locked_selection(read_lock(kLock, "a.lock"), request); });
    };
    EXPECT_EQ(refusal([](auto&) {}), "no error");
    EXPECT_EQ(refusal([](auto& r) { r.packages.include.push_back("vim"); }),
              "cannot use the lock: what is included has 'vim', which it was not made for; lock anew");
    EXPECT_EQ(refusal([](auto& r) { r.packages.include.clear(); }),
              "cannot use the lock: what is included has no 'web', which it was made for; lock anew");
    EXPECT_EQ(refusal([](auto& r) { r.packages.exclude.push_back("vim"); }),
              "cannot use the lock: what is excluded has 'vim', which it was not made for; lock anew");
    EXPECT_EQ(refusal([](auto& r) { r.packages.recommends = true; }),
              "cannot use the lock: recommends is 'true', it was made for 'false'; lock anew");
    EXPECT_EQ(refusal([](auto& r) { r.architecture = "arm64"; }),
              "cannot use the lock: the architecture is 'arm64', it was made for 'amd64'; lock anew");
    EXPECT_EQ(refusal([](auto& r) { r.repositories[0].suite = "trixie"; }),
              "cannot use the lock: the list of suites is 'trixie main contrib', it was made for 'sid main contrib'; "
              "lock anew");
}

TEST(LockFile, MistakesHaveAPlace) {
    const auto refusal = [](std::string_view from, std::string_view to) {
        std::string text(kLock);
        text.replace(text.find(from), from.size(), to);
        return message_of([&] { read_lock(text, "a.lock"); });
    };
    EXPECT_EQ(refusal("format = 1", "format = 2"),
              "a.lock:2:10: cannot read lock: its format is of another version of vprov; lock anew");
    EXPECT_EQ(refusal("size = 2000", "size = \"2000\""), "a.lock:25:8: cannot read lock: size is not of its type");
    EXPECT_EQ(refusal("size = 2000\n", ""), "a.lock:21:1: cannot read lock: size is missing");
    EXPECT_EQ(refusal("bbbb\"", "\""), "a.lock:26:10: cannot read lock: sha256 is not a digest");
    EXPECT_EQ(refusal("release = 0", "release = 7"), "a.lock:28:11: cannot read lock: there is no such release");
}

TEST(LockFile, ChangesAreShown) {
    const auto before = read_lock(kLock, "a.lock");
    auto after = before;
    after.packages[0].name = "libweb2";
    after.packages[1].version = "1:1.1-1";
    EXPECT_EQ(changes(before, after),
              (std::vector<std::string>{"+ libweb2 1.0", "web 1:1.0-1 -> 1:1.1-1", "- libweb 1.0"}));
    EXPECT_EQ(changes(before, before), std::vector<std::string>{});
}

}  // namespace
}  // namespace vprov::pipeline
