#include "bootstrap/configure/stand_ins.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "os/command.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::configure {
namespace {
namespace fs = std::filesystem;

constexpr int kLeftToTheRealOne = 127;  // which is not there, outside of a sandbox

struct Answer {
    int status = 0;
    std::string output;
    bool operator==(const Answer&) const = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
    *out << answer.status << " \"" << answer.output << '"';
}

class StandInsTest : public testing::Test {
  protected:
    void SetUp() override {
        if (small_programs().empty())
            GTEST_SKIP() << "there are none for this machine's architecture";
        os::write_file(work_.path() / "small", small_programs(), 0755);
        for (const auto* name : kSmallPrograms) fs::create_symlink("small", work_.path() / name);
        for (const auto* name : kSmallHelpers) fs::create_symlink("small", work_.path() / name);
        fs::create_directories(at("folder/inner"));
        os::write_file(at("file"), "text\n");
        fs::create_symlink("folder/inner", at("link"));
        fs::create_symlink("missing/file", at("dangling"));
        fs::create_symlink("loop", at("loop"));
    }

    std::string at(const std::string& name) const { return (work_.path() / "files" / name).native(); }

    static Answer run(std::vector<std::string> argv, std::map<std::string, std::string> environment = {}) {
        os::SystemCommandRunner runner;
        os::Command command;
        command.argv = std::move(argv);
        command.environment = os::clean_environment();
        command.environment.insert(environment.begin(), environment.end());
        const auto ended = runner.run(command);
        return {ended.status, ended.output};
    }

    Answer stand_in(const std::string& name, std::vector<std::string> arguments,
                    std::map<std::string, std::string> environment = {}) const {
        arguments.insert(arguments.begin(), (work_.path() / name).native());
        return run(std::move(arguments), std::move(environment));
    }

    // The same as the host's own, or left to it.
    int left_to_the_real_one(const std::string& name, std::vector<std::string> arguments) const {
        const auto ours = stand_in(name, arguments);
        if (ours.status == kLeftToTheRealOne)
            return 1;
        arguments.insert(arguments.begin(), name);
        EXPECT_EQ(ours, run(arguments)) << name << ' ' << arguments.back();
        return 0;
    }

    Answer helper(const std::string& script, std::vector<std::string> arguments) const {
        return stand_in("dpkg-maintscript-helper", std::move(arguments),
                        {{"DPKG_MAINTSCRIPT_NAME", script}, {"DPKG_MAINTSCRIPT_PACKAGE", "hello"}});
    }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
};

// Outside of a sandbox there is no real one to start, so whatever is packed has been packed by the stand-in.
class GzipTest : public testing::Test {
  protected:
    static constexpr int kLeft = 1;

    void SetUp() override {
        os::write_file(gzip_, gzip_program(), 0755);
        std::string text;
        for (int i = 0; i < 20'000; ++i) text += std::to_string(i * i % 7919) + '\n';
        os::write_file(file_, text);
    }

    int shell(const std::string& line) const {
        os::SystemCommandRunner runner;
        os::Command command;
        command.argv = {"/bin/sh", "-c", line, gzip_.native(), file_.native()};
        command.environment = os::clean_environment();
        return runner.run(command).status;
    }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path gzip_ = work_.path() / "gzip", file_ = work_.path() / "file";
};

TEST_F(GzipTest, FilesAndPipesUnpackToTheSame) {
    for (const auto* line :
         {R"("$0" -n -c "$1")", R"("$0" -c -9n "$1")", R"(cat "$1" | "$0" -c)", R"(cat "$1" | "$0" -n1)"}) {
        EXPECT_EQ(shell(std::string(line) + R"( >"$1.gz" && gzip -dc "$1.gz" | cmp - "$1")"), 0) << line;
        EXPECT_TRUE(fs::exists(file_)) << line;
    }
    EXPECT_EQ(shell(R"("$0" -nc "$1" >"$1.a" && "$0" -nc "$1" >"$1.b" && cmp "$1.a" "$1.b")"), 0);
}

TEST_F(GzipTest, WhatIsNotPlainIsLeftToTheRealOne) {
    fs::create_symlink("file", work_.path() / "link");
    os::write_file(work_.path() / "empty", "");
    for (const auto* line :
         {R"("$0" "$1")", R"("$0" -n "$1")", R"("$0" -c "$1")", R"("$0" -d -c "$1")", R"("$0" -nc "$1" "$1")",
          R"("$0" -nc "$1"x)", R"("$0" -nc "${1%file}link")", R"("$0" -nc "${1%file}empty")", R"("$0" -nc "${1%file}")",
          R"("$0" -n --fast -c "$1")", R"("$0" -nc -)", R"("$0" -nc <"$1")"}) {
        EXPECT_EQ(shell(std::string(line) + R"( >"$1.gz")"), kLeft) << line;
        EXPECT_EQ(fs::file_size(file_.native() + ".gz"), 0U) << line;
    }
}

TEST_F(StandInsTest, PathsAreThoseOfCoreutils) {
    int tried = 0, left = 0;
    for (const std::string& path : {std::string(),
                                    std::string("/"),
                                    std::string("//"),
                                    std::string("///x"),
                                    std::string("a"),
                                    std::string("a/"),
                                    std::string("/a/b"),
                                    std::string("a//b//"),
                                    std::string("."),
                                    std::string(".."),
                                    std::string("/a/."),
                                    std::string("a.c"),
                                    std::string(".c"),
                                    std::string("/.c"),
                                    std::string("two words"),
                                    std::string("-x"),
                                    at("file"),
                                    at("file/"),
                                    at("./file"),
                                    at("/file"),
                                    at("link"),
                                    at("link/"),
                                    at("link/.."),
                                    at("dangling"),
                                    at("loop"),
                                    at("missing"),
                                    at("missing/file"),
                                    at("folder/missing"),
                                    at("../files/file"),
                                    std::string("/proc/self/cwd")}) {
        for (const auto* suffix : {".c", "c", "", "a", "/", "b"})
            left += left_to_the_real_one("basename", {path, suffix}), ++tried;
        for (const auto* name : {"basename", "dirname", "readlink"})
            left += left_to_the_real_one(name, {path}), ++tried;
        left += left_to_the_real_one("readlink", {"-f", path}), ++tried;
        for (const auto* option : {"-s", "-ms"}) left += left_to_the_real_one("realpath", {option, path}), ++tried;
    }
    EXPECT_LT(left, tried / 2);
}

TEST_F(StandInsTest, UnknownOptionsAreLeftToTheRealOne) {
    for (const auto* name : kSmallPrograms) {
        EXPECT_EQ(stand_in(name, {"--version"}).status, kLeftToTheRealOne) << name;
        EXPECT_EQ(stand_in(name, {}).status, kLeftToTheRealOne) << name;
    }
}

TEST_F(StandInsTest, DirectoriesAreMadeWithTheirParents) {
    EXPECT_EQ(stand_in("mkdir", {"-p", at("new//a/./b/")}), Answer{});
    EXPECT_TRUE(fs::is_directory(at("new/a/b")));
    EXPECT_EQ(stand_in("mkdir", {"-p", at("link")}), Answer{});
    EXPECT_EQ(stand_in("mkdir", {"-p", at("file")}).status, kLeftToTheRealOne);
    EXPECT_EQ(stand_in("mkdir", {"-p", at("dangling/x")}).status, kLeftToTheRealOne);
}

TEST_F(StandInsTest, CopiesHaveModeTimesAndContent) {
    const std::string content(3 << 20, 'x');
    os::write_file(at("large"), content);
    ::chmod(at("large").c_str(), 04751);
    const std::array<timespec, 2> times = {{{1'000'000'000, 1}, {1'100'000'000, 999'999'999}}};
    ::utimensat(AT_FDCWD, at("large").c_str(), times.data(), 0);
    ::utimensat(AT_FDCWD, at("dangling").c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
    EXPECT_EQ(stand_in("cp", {"-p", at("large"), at("copy")}), Answer{});
    EXPECT_TRUE(os::read_file(at("copy")) == content);
    EXPECT_EQ(stand_in("cp", {"-pP", at("dangling"), at("copied-link")}), Answer{});
    EXPECT_EQ(fs::read_symlink(at("copied-link")), "missing/file");
    for (const auto* name : {"copy", "copied-link"}) {
        struct stat status {};
        ASSERT_EQ(::lstat(at(name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mtim.tv_sec, 1'100'000'000) << name;
        EXPECT_EQ(status.st_mtim.tv_nsec, 999'999'999) << name;
        if (S_ISREG(status.st_mode)) {
            EXPECT_EQ(status.st_mode & 07777, 04751U);
        }
    }
}

TEST_F(StandInsTest, CopiesThatAreNotPlainAreLeftToTheRealOne) {
    for (const auto& [from, to] :
         {std::pair(at("file"), at("folder")), std::pair(at("file"), at("link")), std::pair(at("folder"), at("new")),
          std::pair(at("missing"), at("new")), std::pair(at("file"), at("missing/new"))}) {
        EXPECT_EQ(stand_in("cp", {"-pP", from, to}).status, kLeftToTheRealOne) << from << ' ' << to;
        EXPECT_FALSE(fs::exists(at("new")));
    }
    EXPECT_EQ(stand_in("cp", {"-p", at("link"), at("new")}).status, kLeftToTheRealOne);
}

TEST_F(StandInsTest, APackageThatIsNewHasNothingToMove) {
    for (const auto* script : {"preinst", "postinst"}) {
        const std::vector<std::string> action = {"--", std::string(script) == "preinst" ? "install" : "configure", ""};
        for (auto words : std::vector<std::vector<std::string>>{{"rm_conffile", "/etc/old", "1:2.3-4~"},
                                                                {"rm_conffile", "/etc/old"},
                                                                {"mv_conffile", "/etc/old", "/etc/new", "1.0", "hello"},
                                                                {"symlink_to_dir", "/usr/x", "y", "1.0-1"},
                                                                {"dir_to_symlink", "/usr/x/", "../y", "1.0+b1"}}) {
            words.insert(words.end(), action.begin(), action.end());
            EXPECT_EQ(helper(script, words), Answer{}) << words[0];
        }
    }
    EXPECT_EQ(helper("postinst", {"supports", "rm_conffile"}), Answer{});
}

TEST_F(StandInsTest, WhatAnUpgradeNeedsIsLeftToTheRealHelper) {
    const auto left = [&](const std::string& script, std::vector<std::string> words) {
        EXPECT_EQ(helper(script, words).status, kLeftToTheRealOne) << script << ' ' << words[0];
    };
    left("postinst", {"rm_conffile", "/etc/old", "1.0", "--", "configure", "0.9"});
    left("preinst", {"mv_conffile", "/etc/old", "/etc/new", "1.0", "--", "upgrade", "0.9"});
    left("postrm", {"rm_conffile", "/etc/old", "1.0", "--", "purge"});
    left("postinst", {"rm_conffile", "/etc/old", "1.0"});
    left("postinst", {"rm_conffile", "etc/old", "1.0", "--", "configure", ""});
    left("postinst", {"rm_conffile", "/etc/old", "one", "--", "configure", ""});
    left("postinst", {"supports", "something_else"});
    fs::create_directory(at("folder.dpkg-backup"));
    left("postinst", {"dir_to_symlink", at("folder"), "x", "1.0", "--", "configure", ""});
    EXPECT_EQ(stand_in("dpkg-maintscript-helper", {"rm_conffile", "/etc/old", "--", "configure", ""}).status,
              kLeftToTheRealOne);
}

TEST_F(StandInsTest, AUnitThatIsNewIsNeitherMaskedNorRecorded) {
    if (fs::exists("/var/lib/systemd/deb-systemd-helper-masked") ||
        fs::exists("/var/lib/systemd/deb-systemd-user-helper-masked"))
        GTEST_SKIP() << "this machine has masked units of its own";
    const auto ask = [&](std::vector<std::string> words, const std::string& package = "hello") {
        return stand_in("deb-systemd-helper", std::move(words), {{"DPKG_MAINTSCRIPT_PACKAGE", package}}).status;
    };
    const std::string unit = "vprov-stand-ins-test.service";
    EXPECT_EQ(ask({"unmask", unit}), 0);
    EXPECT_EQ(ask({"--user", "unmask", unit}), 0);
    EXPECT_EQ(ask({"--quiet", "was-enabled", unit}), 0);
    EXPECT_EQ(ask({"debian-installed", unit}), 1);
    EXPECT_EQ(ask({"was-enabled", unit}), kLeftToTheRealOne);  // which says it, too
    EXPECT_EQ(ask({"enable", unit}), kLeftToTheRealOne);
    EXPECT_EQ(ask({"unmask", "/etc/" + unit}), kLeftToTheRealOne);
    EXPECT_EQ(ask({"unmask", unit}, ""), kLeftToTheRealOne);
}

}  // namespace
}  // namespace vprov::configure
