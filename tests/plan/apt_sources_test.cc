#include "plan/apt_sources.h"

#include <gtest/gtest.h>

#include "os/temp_dir.h"

namespace vprov::plan {
namespace {

std::string lines(const std::vector<HostRepository>& sources) {
    std::string out;
    for (const auto& source : sources) {
        out += source.uri + " " + source.suite;
        for (const auto& component : source.components) out += " " + component;
        out += source.signed_by.empty() ? "\n" : " <" + source.signed_by + ">\n";
    }
    return out;
}

TEST(AptSources, OneLineForm) {
    EXPECT_EQ(
        lines(parse_one_line_sources("# deb http://off.example.org/debian bookworm main\n"
                                     "deb http://a.example.org/debian bookworm main contrib # note\n"
                                     "deb-src http://a.example.org/debian bookworm main\n"
                                     "  deb\t[ arch=amd64 signed-by=/k/a.gpg trusted=no ] http://b.example.org/x y z\n"
                                     "deb [signed-by=/k/b.gpg]  http://c.example.org/x  y/updates  z\n"
                                     "deb http://flat.example.org/ ./\n"
                                     "deb [never closed http://d.example.org/x y z\n"
                                     "debbie http://e.example.org/x y z\n"
                                     "deb http://last.example.org/debian sid main")),
        "http://a.example.org/debian bookworm main contrib\n"
        "http://b.example.org/x y z </k/a.gpg>\n"
        "http://c.example.org/x y/updates z </k/b.gpg>\n"
        "http://last.example.org/debian sid main\n");
}

TEST(AptSources, Deb822Form) {
    EXPECT_EQ(lines(parse_deb822_sources(
                  "# a comment\n"
                  "Types: deb deb-src\n"
                  "# another between the fields\n"
                  "URIs: http://a.example.org/debian http://b.example.org/debian\n"
                  "Suites: bookworm\n bookworm-updates\n"
                  "Components: main contrib\n"
                  "Signed-By: /k/a.gpg\n"
                  "\n"
                  "Types: deb-src\nURIs: http://c.example.org/debian\nSuites: x\nComponents: main\n"
                  "\n"
                  "Enabled: No\nTypes: deb\nURIs: http://d.example.org/debian\nSuites: x\nComponents: main\n"
                  "\n"
                  "Types: deb\nURIs: http://flat.example.org/\nSuites: ./\n"
                  "\n"
                  "types: deb\nuris: http://e.example.org/debian\nsuites: x\ncomponents: main\nenabled: yes\n"
                  "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n")),
              "http://a.example.org/debian bookworm main contrib </k/a.gpg>\n"
              "http://a.example.org/debian bookworm-updates main contrib </k/a.gpg>\n"
              "http://b.example.org/debian bookworm main contrib </k/a.gpg>\n"
              "http://b.example.org/debian bookworm-updates main contrib </k/a.gpg>\n"
              "http://e.example.org/debian x main <-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd>\n");
}

TEST(AptSources, AFileIsGoodUpToItsFirstFault) {
    EXPECT_EQ(lines(parse_deb822_sources(
                  "Types: deb\nURIs: http://a.example.org/d\nSuites: x\nComponents: main\n\nno field\n")),
              "http://a.example.org/d x main\n");
    EXPECT_EQ(lines(parse_deb822_sources("")), "");
}

TEST(HostFacts, AreReadInAptsOrder) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    std::filesystem::create_directories(work.path() / "sources.list.d/folder.list");
    os::write_file(work.path() / "sources.list", "deb http://1.example.org/d x main\n");
    os::write_file(work.path() / "sources.list.d/b.list", "deb http://3.example.org/d x main\n");
    os::write_file(work.path() / "sources.list.d/a.sources",
                   "Types: deb\nURIs: http://2.example.org/d\nSuites: x\nComponents: main\n");
    os::write_file(work.path() / "sources.list.d/c.save", "deb http://4.example.org/d x main\n");
    const auto facts = read_host_facts(work.path());
    EXPECT_EQ(lines(facts.apt_sources),
              "http://1.example.org/d x main\nhttp://2.example.org/d x main\nhttp://3.example.org/d x main\n");
    EXPECT_TRUE(facts.file_exists(work.path() / "sources.list"));
    EXPECT_FALSE(facts.file_exists(work.path() / "nothing"));
    EXPECT_FALSE(facts.file_exists(work.path())) << "a directory is no keyring";
    EXPECT_GT(facts.now, 1700000000);
    EXPECT_FALSE(facts.architecture.empty());
    EXPECT_TRUE(facts.default_mirror.starts_with("http")) << facts.default_mirror;
    EXPECT_TRUE(read_host_facts(work.path() / "missing").apt_sources.empty());
}

}  // namespace
}  // namespace vprov::plan
