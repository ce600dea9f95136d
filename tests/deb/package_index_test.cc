#include "bootstrap/deb/package_index.h"

#include <gtest/gtest.h>

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace vprov::deb {
namespace {

std::string stanza(std::string_view name, std::string_view version, std::string_view more = "", char digest = 'a') {
    return fmt::format(
        "Package: {}\nVersion: {}\nArchitecture: amd64\n{}Filename: pool/{}.deb\nSize: 10\nSHA256: {}\n\n", name,
        version, more, name, std::string(64, digest));
}

Release release(std::string_view suite) {
    Release made;
    made.uri = "http://mirror.example.org/debian";
    made.suite = suite;
    return made;
}

std::vector<std::string> texts(std::span<const Package* const> packages) {
    std::vector<std::string> found;
    for (const auto* package : packages) found.push_back(fmt::format("{}={}", package->name, package->version));
    return found;
}

std::string failure(std::string text) {
    PackageIndex index("amd64");
    try {
        index.add(release("sid"), std::move(text));
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::archive);
        return e.message();
    }
    return "";
}

TEST(PackageIndex, EveryFieldIsRead) {
    PackageIndex index("amd64");
    index.add(
        release("sid"),
        "Package: a\nSource: src (2)\nVersion: 1:2-3\nInstalled-Size: 5\nArchitecture: all\nMulti-Arch: foreign\n"
        "Priority: required\nSection: admin\nEssential: yes\nProtected: yes\nPre-Depends: b\nDepends: c,\n "
        "d\nRecommends: e\n"
        "Suggests: f\nEnhances: g\nConflicts: h\nBreaks: i\nReplaces: j\nProvides: k (= 1), l\nFilename: pool/a_2.deb\n"
        "Size: 1234\nSHA256: " +
            std::string(62, '0') + "ff\nDescription: x\n long\n");
    ASSERT_EQ(index.packages().size(), 1U);
    const auto& package = index.packages()[0];
    EXPECT_EQ(package.name, "a");
    EXPECT_EQ(package.version, "1:2-3");
    EXPECT_EQ(package.source, "src (2)");
    EXPECT_EQ(package.architecture, "all");
    EXPECT_EQ(package.multi_arch, "foreign");
    EXPECT_EQ(package.priority, "required");
    EXPECT_EQ(package.section, "admin");
    EXPECT_EQ(package.pre_depends, "b");
    EXPECT_EQ(package.depends, "c,\n d");
    EXPECT_EQ(package.recommends, "e");
    EXPECT_EQ(package.suggests, "f");
    EXPECT_EQ(package.enhances, "g");
    EXPECT_EQ(package.conflicts, "h");
    EXPECT_EQ(package.breaks, "i");
    EXPECT_EQ(package.replaces, "j");
    EXPECT_EQ(package.provides, "k (= 1), l");
    EXPECT_EQ(package.filename, "pool/a_2.deb");
    EXPECT_EQ(package.size, Bytes{1234});
    EXPECT_EQ(package.installed_size, Bytes{5120});
    EXPECT_EQ(package.sha256.bytes[31], 0xff);
    EXPECT_TRUE(package.essential);
    EXPECT_TRUE(package.important);
}

TEST(PackageIndex, VersionsAndProvidersInTheOrderOfTheFiles) {
    PackageIndex index("amd64");
    index.add(release("sid"), stanza("a", "1", "Provides: v, w (= 3), v\n") + stanza("b", "1", "Provides: v\n"));
    index.add_to_last(stanza("a", "3", "Provides: w\n"));
    index.add(release("updates"), stanza("a", "2") + stanza("v", "9"));
    EXPECT_EQ(texts(index.versions_of("a")), (std::vector<std::string>{"a=1", "a=3", "a=2"}));
    EXPECT_EQ(texts(index.providers_of("v")), (std::vector<std::string>{"a=1", "b=1"}));
    EXPECT_EQ(texts(index.providers_of("w")), (std::vector<std::string>{"a=1", "a=3"}));
    EXPECT_EQ(texts(index.versions_of("v")), (std::vector<std::string>{"v=9"}));
    EXPECT_TRUE(index.versions_of("w").empty());
    EXPECT_TRUE(index.versions_of("nosuch").empty());
    EXPECT_TRUE(index.providers_of("b").empty());
    EXPECT_EQ(index.versions_of("a")[1]->release, 0U);
    EXPECT_EQ(index.versions_of("a")[2]->release, 1U);
    EXPECT_EQ(index.versions_of("a")[2]->order, 3U);
}

TEST(PackageIndex, ThePackageInTwoFilesIsKeptOnce) {
    PackageIndex index("amd64");
    auto backports = release("backports");
    backports.not_automatic = backports.but_automatic_upgrades = true;
    index.add(backports, stanza("a", "1") + stanza("b", "1"));
    index.add(release("sid"), stanza("a", "1") + stanza("b", "1", "", 'b'));
    index.add(release("other"), stanza("a", "1"));
    EXPECT_EQ(texts(index.versions_of("a")), (std::vector<std::string>{"a=1"}));
    EXPECT_EQ(index.versions_of("a")[0]->release, 1U);
    EXPECT_EQ(texts(index.versions_of("b")), (std::vector<std::string>{"b=1", "b=1"}));
}

TEST(PackageIndex, OtherArchitecturesAreLeftOut) {
    PackageIndex index("arm64");
    index.add(release("sid"), stanza("a", "1"));
    EXPECT_TRUE(index.packages().empty());
}

TEST(PackageIndex, ManySmallFilesKeepTheirLookUps) {
    PackageIndex index("amd64");
    for (int i = 0; i < 200; ++i)
        index.add(release("sid"), stanza(fmt::format("p{}", i % 50), fmt::format("{}", i), "Provides: v\n"));
    EXPECT_EQ(texts(index.versions_of("p7")), (std::vector<std::string>{"p7=7", "p7=57", "p7=107", "p7=157"}));
    EXPECT_EQ(index.providers_of("v").size(), 200U);
}

std::string described(const PackageIndex& index) {
    std::string text;
    for (const auto& p : index.packages())
        text += fmt::format("{}\n", fmt::join(std::vector<std::string_view>{p.name, p.version, p.architecture,
                                                                            p.depends, p.provides, p.filename},
                                              "|")) +
                fmt::format("{} {} {} {} {} {} {}\n", p.sha256.hex(), p.size.value, p.installed_size.value, p.essential,
                            p.important, p.release, p.order);
    return text;
}

TEST(PackageIndex, RestoredIsWhatWasSaved) {
    PackageIndex index("amd64");
    index.add(release("sid"), stanza("a", "1", "Provides: v, w (= 3)\nEssential: yes\nInstalled-Size: 7\n") +
                                  stanza("b", "1", "Provides: v\nDepends: a,\n c\nProtected: yes\n"));
    index.add(release("updates"), stanza("a", "2"));
    auto bytes = std::make_shared<std::string>();
    index.save([&](std::string_view portion) { *bytes += portion; });
    const auto restored = [&](std::string_view what, std::vector<Release> releases) {
        return PackageIndex::restore("amd64", std::move(releases), what, bytes);
    };
    const auto again = restored(*bytes, {release("sid"), release("updates")});
    ASSERT_TRUE(again);
    EXPECT_EQ(described(*again), described(index));
    EXPECT_EQ(again->releases()[1].suite, "updates");
    EXPECT_EQ(texts(again->versions_of("a")), (std::vector<std::string>{"a=1", "a=2"}));
    EXPECT_EQ(texts(again->providers_of("v")), (std::vector<std::string>{"a=1", "b=1"}));
    EXPECT_TRUE(again->versions_of("w").empty());
    EXPECT_TRUE(again->providers_of("nosuch").empty());
    EXPECT_FALSE(restored(*bytes, {release("sid")})) << "of as many releases";
    for (std::size_t size = 0; size < bytes->size(); ++size)
        ASSERT_FALSE(restored(std::string_view(*bytes).substr(0, size), {release("sid"), release("updates")})) << size;
}

TEST(PackageIndex, DamagedBytesLeadNowhere) {
    PackageIndex index("amd64");
    index.add(release("sid"), stanza("a", "1", "Provides: v\n") + stanza("b", "1"));
    std::string bytes;
    index.save([&](std::string_view portion) { bytes += portion; });
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto damaged = std::make_shared<std::string>(bytes);
        (*damaged)[i] = static_cast<char>((*damaged)[i] ^ 0xff);
        const auto restored = PackageIndex::restore("amd64", {release("sid")}, *damaged, damaged);
        if (!restored)
            continue;
        for (const auto* name : {"a", "b", "v", "nosuch"}) {  // whatever it says, nothing outside of it is read
            texts(restored->versions_of(name));
            texts(restored->providers_of(name));
        }
        EXPECT_FALSE(described(*restored).empty());
    }
}

TEST(PackageIndex, AShareOutlivesTheIndex) {
    std::optional<PackageIndex> share;
    {
        PackageIndex index("amd64");
        index.add(release("sid"), stanza("a", "1"));
        share = index.share();
    }
    EXPECT_EQ(texts(share->versions_of("a")), (std::vector<std::string>{"a=1"}));
}

TEST(PackageIndex, LargeTextsAreReadInParts) {
    std::string text, expected;
    for (int i = 0; i < 30000; ++i) {
        text += stanza(fmt::format("p{}", i), "1");
        expected += fmt::format("p{} {}\n", i, i);
    }
    PackageIndex index("amd64");
    index.add(release("sid"), text);
    std::string found;
    for (const auto& package : index.packages()) found += fmt::format("{} {}\n", package.name, package.order);
    EXPECT_EQ(found, expected);
    EXPECT_EQ(failure(text + "<html>\n"),
              "cannot use the packages of http://mirror.example.org/debian sid: "
              "cannot read line 210001: '<html>' is not a field");
}

TEST(PackageIndex, ErrorsNameFileLineAndCause) {
    const std::string context = "cannot use the packages of http://mirror.example.org/debian sid: ";
    EXPECT_EQ(failure("Package: a\n<html>\n"), context + "cannot read line 2: '<html>' is not a field");
    const auto good = stanza("a", "1");
    for (const auto* field : {"Package", "Version", "Architecture", "Filename", "Size", "SHA256"}) {
        auto text = good;
        const auto start = text.find(std::string(field) + ": ");
        text.erase(start, text.find('\n', start) + 1 - start);
        EXPECT_EQ(failure(good + text), context + "cannot read line 8: the stanza has no " + field);
    }
    const auto with = [&](std::string_view from, std::string_view to) {
        auto text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    EXPECT_EQ(failure(with("pool/a.deb", "/etc/a.deb")),
              context + "cannot read line 4: Filename '/etc/a.deb' leads out of the repository");
    EXPECT_EQ(failure(with("pool/a.deb", "pool/../../a.deb")),
              context + "cannot read line 4: Filename 'pool/../../a.deb' leads out of the repository");
    EXPECT_EQ(failure(with("Size: 10", "Size: ten")), context + "cannot read line 5: Size 'ten' is not a size");
    EXPECT_EQ(failure(with("Size: 10", "Size: -1")), context + "cannot read line 5: Size '-1' is not a size");
    EXPECT_EQ(failure(with("SHA256: aa", "SHA256: xx")),
              context + "cannot read line 6: SHA256 'xx" + std::string(62, 'a') + "' is not a digest");
    EXPECT_EQ(failure(with("Package: a", "Package: ../a")),
              context + "cannot read line 1: Package '../a' is not a package name");
    EXPECT_EQ(failure(with("Version: 1", "Version: 1/2")),
              context + "cannot read line 2: Version '1/2' is not a version");
    EXPECT_EQ(failure(stanza("a", "1", "Provides: b (= 1\n")),
              context + "cannot read relation 'b (= 1': a '(' is not closed");
}

}  // namespace
}  // namespace vprov::deb
