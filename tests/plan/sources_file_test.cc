#include "plan/sources_file.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "facts.h"
#include "plan/repositories.h"

namespace vprov::plan {
namespace {

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', '~');
    return text;
}

std::string read(std::string_view text, const deb::Architectures& architectures = "amd64") {
    std::string out;
    try {
        for (const auto& r : read_sources(text, "x.sources", architectures))
            out +=
                fmt::format("{} {}|{}|{}{}{}{}\n", r.uri, r.suite, joined(r.components, " "),
                            r.signed_by ? r.signed_by->native() : one_line(r.embedded_key), r.trusted ? " trusted" : "",
                            r.check_valid_until ? "" : " any-age", r.allow_weak_digests ? " weak" : "");
    } catch (const Error& e) {
        return e.kind() == ErrorKind::recipe ? e.message() : "another kind of error: " + e.message();
    }
    return out;
}

TEST(SourcesFile, OneLineForm) {
    EXPECT_EQ(
        read("# the archive\n"
             "deb http://a.example.org/debian bookworm main contrib # note\n\n"
             "deb-src http://a.example.org/debian bookworm main\n"
             "deb [ arch=amd64,i386 signed-by=/k/b.gpg check-valid-until=no lang=de ] http://b.example.org/x y z\n"
             "deb [arch=arm64] http://c.example.org/x y z\n"
             "deb [trusted=yes allow-weak=yes] file:///srv/flat ./\n"),
        "http://a.example.org/debian bookworm|main contrib|\n"
        "http://b.example.org/x y|z|/k/b.gpg any-age\n"
        "file:///srv/flat ./|| trusted weak\n");
}

TEST(SourcesFile, Deb822Form) {
    EXPECT_EQ(
        read("# the archive\nTypes: deb deb-src\n# between\nURIs: http://a.example.org/debian\n"
             "Suites: bookworm bookworm-updates\nComponents: main\n contrib\nSigned-By: /k/a.gpg\n\n"
             "Enabled: no\nTypes: deb\nURIs: http://off.example.org\nSuites: x\nComponents: y\n\n"
             "Types: deb\nURIs: ftp://b.example.org/flat\nSuites: local/\nTrusted: yes\nArchitectures: i386 amd64\n"),
        "http://a.example.org/debian bookworm|main contrib|/k/a.gpg\n"
        "http://a.example.org/debian bookworm-updates|main contrib|/k/a.gpg\n"
        "ftp://b.example.org/flat local/|| trusted\n");
}

TEST(SourcesFile, AKeyInTheField) {
    const std::string stanza = "Types: deb\nURIs: http://a.example.org/debian\nSuites: sid\nComponents: main\n";
    const std::string begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----", end = "-----END PGP PUBLIC KEY BLOCK-----";
    const auto key = begin + "~Comment: a~~SGVsbG8s~=ibS4~" + end + "~";
    const auto read_key = "http://a.example.org/debian sid|main|" + key + "\n";
    EXPECT_EQ(read(stanza + "Signed-By:\n " + begin + "\n Comment: a\n .\n SGVsbG8s\n =ibS4\n " + end + "\n"),
              read_key);
    EXPECT_EQ(read("Signed-By: " + begin + "\n\tComment: a\n  .\n SGVsbG8s \n =ibS4\n " + end + "\n" + stanza),
              read_key)
        << "apt strips every line";
    EXPECT_EQ(read(stanza + "Trusted: yes\nSigned-By:\n " + begin + "\n .\n SGVs\n " + end + "\n"),
              "http://a.example.org/debian sid|main| trusted\n");
    EXPECT_EQ(read(stanza + "Signed-By:\n " + begin + "\n .\n SGVsbG8s\n =AoBb\n " + end + "\n"),
              "cannot use x.sources, line 1: its Signed-By: cannot read the armoured keyring: its checksum is wrong");
    EXPECT_EQ(read(stanza + "Signed-By:\n " + begin + "\n .\n SGVsbG8s\n"),
              "cannot use x.sources, line 1: its Signed-By: cannot read the armoured keyring: it ends within a block");
}

TEST(SourcesFile, ArchitecturesAreKept) {
    const auto architectures = [](const deb::Architectures& of) {
        std::string out;
        for (const auto& r : read_sources("deb [arch=amd64] http://a.example.org/x y z\n"
                                          "deb [arch=i386,amd64] http://b.example.org/x y z\n"
                                          "deb [arch=i386] http://c.example.org/x y z\n"
                                          "deb http://d.example.org/x y z\n",
                                          "x.list", of))
            out += fmt::format("{}:{} ", r.uri.substr(7, 1), joined(r.architectures, "+"));
        return out;
    };
    EXPECT_EQ(architectures("amd64"), "a:amd64 b:i386+amd64 d: ");
    EXPECT_EQ(architectures({"amd64", {"i386"}}), "a:amd64 b:i386+amd64 c:i386 d: ");
    EXPECT_EQ(architectures("arm64"), "d: ");
}

TEST(SourcesFile, WhatCannotBeUnderstoodIsAnError) {
    EXPECT_EQ(read("deb http://a.example.org/debian bookworm main\ndebian http://x y z\n"),
              "cannot use x.sources, line 2: 'debian http://x y z' is not a source");
    EXPECT_EQ(read("deb http://a.example.org/debian\n"), "cannot use x.sources, line 1: a URI and a suite are wanted");
    EXPECT_EQ(read("deb http://a.example.org/debian sid\n"), "cannot use x.sources, line 1: no component is named");
    EXPECT_EQ(read("deb http://a.example.org/debian ./ main\n"),
              "cannot use x.sources, line 1: a suite that ends in '/' has no components");
    EXPECT_EQ(read("deb [trusted http://a.example.org/debian sid main\n"),
              "cannot use x.sources, line 1: its '[' is not closed");
    EXPECT_EQ(read("deb [trusted] http://a.example.org/debian sid main\n"),
              "cannot use x.sources, line 1: the option 'trusted' has no value");
    EXPECT_EQ(read("deb [trusted=perhaps] http://a.example.org/debian sid main\n"),
              "cannot use x.sources, line 1: trusted 'perhaps' is neither yes nor no");
    EXPECT_EQ(read("deb [signed-by=0123ABCD] http://a.example.org/debian sid main\n"),
              "cannot use x.sources, line 1: signed-by '0123ABCD' is neither a key nor the path of one keyring");
    EXPECT_EQ(read("deb gopher://a.example.org/debian sid main\n"),
              "cannot use x.sources, line 1: URI 'gopher://a.example.org/debian': an http, https, ftp or file URI is "
              "wanted, as in 'http://mirror.example.org/debian'");
    EXPECT_EQ(read("\nTypes: deb\nURIs: http://a.example.org/debian\nComponents: main\n"),
              "cannot use x.sources, line 2: it has no Suites");
    EXPECT_EQ(read("URIs: http://a.example.org/debian\n"), "cannot use x.sources, line 1: it has no Types");
    EXPECT_EQ(read("Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\nURIs: http://a.example.org/x\n"
                   "Suites: y\nComponents: z\n"),
              "cannot use x.sources, line 1: its Signed-By: cannot read the armoured keyring: it ends within a block");
    EXPECT_EQ(read("Types: deb\nnonsense\n"), "cannot use x.sources: cannot read line 2: 'nonsense' is not a field");
    EXPECT_EQ(read("# nothing\n"), "cannot use x.sources: it names no repository of packages for amd64");
}

std::string planned(const std::string& system, const std::string& file = "") {
    auto facts = plain_facts({"/k/own.gpg"});
    facts.read_file = [&](const std::filesystem::path& path) {
        EXPECT_EQ(path, "/r/my.sources");
        return file;
    };
    std::string out;
    for (const auto& r : planned_repositories(recipe_with("[system]\n" + system), facts))
        out += fmt::format("{} {}|{}|{}\n", r.uri, r.suite, joined(r.components, " "), r.signed_by.native());
    return out;
}

TEST(SourcesFile, StandsInPlaceOfAMirror) {
    EXPECT_EQ(planned("sources = [\"deb [signed-by=/k/own.gpg] http://a.example.org/local bookworm main\", "
                      "\"my.sources\"]\n[[system.repository]]\nuri = \"http://c.example.org\"\nsuite = \"more\"\n",
                      "Types: deb\nURIs: http://b.example.org/debian/\nSuites: bookworm\nComponents: main\n"),
              std::string("http://a.example.org/local bookworm|main|/k/own.gpg\n"
                          "http://b.example.org/debian bookworm|main|") +
                  kDebianKeyring + "\nhttp://c.example.org more|main|" + kDebianKeyring + "\n");
}

TEST(SourcesFile, MustHaveTheSuiteAndItsKeyrings) {
    EXPECT_EQ(plan_error("[system]\nsources = [\"deb http://a.example.org/debian trixie main\"]\n"),
              "/r/g1.toml: cannot use [system] sources: none of them is of suite 'bookworm', which suite names");
    EXPECT_EQ(
        plan_error("[system]\nsources = [\"deb [signed-by=/k/no.gpg] http://a.example.org/debian bookworm main\"]\n"),
        "/r/g1.toml: cannot use '/k/no.gpg' as [[system.repository]] signed_by: there is no file '/k/no.gpg'");
    EXPECT_EQ(plan_error("[system]\nsources = [\"no.list\"]\n"), "/r/g1.toml: cannot open /r/no.list");
}

}  // namespace
}  // namespace vprov::plan
