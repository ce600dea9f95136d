#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "os/command.h"
#include "os/interrupt.h"
#include "os/root_dir.h"
#include "os/temp_dir.h"

namespace vprov::os {
namespace {
namespace fs = std::filesystem;

fs::path scratch() {
    return fs::temp_directory_path();
}

std::size_t entries(const fs::path& path) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator{}));
}

TEST(TempDir, RemovesWhatItHoldsAndOnlyStaleOnesOfOthers) {
    const TempDir parent(scratch(), "vprov-test-");
    fs::path gone;
    {
        const TempDir work(parent.path(), "w-");
        gone = work.path();
        fs::create_directories(gone / "a/b");
        TempDir::remove_stale(parent.path(), "w-");
        EXPECT_TRUE(fs::exists(gone)) << "a live owner's directory was removed";
    }
    EXPECT_FALSE(fs::exists(gone));
    fs::create_directories(parent.path() / "w-abcdef/x");
    fs::create_directories(parent.path() / "w-other-thing");
    TempDir::remove_stale(parent.path(), "w-");
    EXPECT_FALSE(fs::exists(parent.path() / "w-abcdef"));
    EXPECT_TRUE(fs::exists(parent.path() / "w-other-thing"));
}

TEST(NewFile, LeavesNothingWithoutCommit) {
    const TempDir work(scratch(), "vprov-test-");
    {
        NewFile file(work.path() / "f");
        file.write("half");
    }
    EXPECT_EQ(entries(work.path()), 0U);
    write_file(work.path() / "f", "whole", 0600);
    EXPECT_EQ(read_file(work.path() / "f"), "whole");
    EXPECT_EQ(entries(work.path()), 1U);
    EXPECT_EQ(fs::status(work.path() / "f").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(RootDir, LinksAndDotsEndAtTheRoot) {
    const TempDir work(scratch(), "vprov-test-");
    write_file(work.path() / "outside", "secret");
    fs::create_directories(work.path() / "root/etc");
    const RootDir root(work.path() / "root");
    fs::create_symlink("/", work.path() / "root/abs");
    fs::create_symlink("../../..", work.path() / "root/up");
    fs::create_symlink("../../outside", work.path() / "root/etc/leak");
    root.write("abs/etc/a", "1");
    root.write("up/etc/b", "2");
    EXPECT_EQ(root.read("/etc/a"), "1");
    EXPECT_EQ(root.read("etc/b"), "2");
    EXPECT_FALSE(root.read_if_exists("/etc/leak"));
    root.write("/etc/leak", "mine");  // replaces the link, does not follow it
    EXPECT_EQ(read_file(work.path() / "outside"), "secret");
    EXPECT_EQ(root.read("../../etc/leak"), "mine");
    root.make_link("/x/y", "target");
    EXPECT_EQ(root.read_link("x/y"), "target");
    root.remove("/x/y");
    root.remove("/no/such");
    EXPECT_FALSE(root.exists("x/y"));
}

TEST(Command, GivesOutputErrorsStatusAndInput) {
    SystemCommandRunner runner;
    Command command{{"sh", "-c", "cat; echo bad >&2; exit 3"}, clean_environment(), std::string(200000, 'x')};
    const auto result = runner.run(command);
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output.size(), 200000U);
    EXPECT_EQ(result.errors, "bad\n");
    command.input.clear();
    EXPECT_EQ(describe_failure(command, runner.run(command)),
              "sh -c 'cat; echo bad >&2; exit 3'\nexit status 3; it said:\nbad");
}

TEST(Command, SaysWhyAProgramDoesNotStart) {
    SystemCommandRunner runner;
    try {
        runner.run({{"/no/such/program"}, {}, {}});
        FAIL() << "it started";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot run '/no/such/program': No such file or directory");
    }
}

TEST(Command, AStopRequestEndsTheChild) {
    SystemCommandRunner runner;
    std::thread stopper([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(runner.run({{"sleep", "30"}, clean_environment(), ""}), Error);
    stopper.join();
    forget_stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Command, AStopRequestDoesNotEndOneThatRunsToItsEnd) {
    SystemCommandRunner runner;
    Command command{{"sh", "-c", "sleep 0.3; echo done"}, clean_environment(), "", -1, {}};
    command.runs_to_its_end = true;
    std::thread stopper([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        request_stop();
    });
    EXPECT_EQ(runner.run(command).output, "done\n");
    stopper.join();
    EXPECT_EQ(runner.run(command).output, "done\n") << "cleaning up needs such commands after a stop request, too";
    forget_stop();
}

TEST(Command, OneThatRunsToItsEndSurvivesItsCaller) {
    const TempDir work(fs::temp_directory_path(), "vprov-test-");
    const auto begun = work.path() / "begun", done = work.path() / "done";
    const pid_t caller = ::fork();
    if (caller == 0) {
        Command command{
            {"sh", "-c", "echo > " + begun.native() + "; sleep 0.3; echo 1; echo 2; echo > " + done.native()},
            clean_environment(),
            "",
            -1,
            {}};
        command.runs_to_its_end = true;
        SystemCommandRunner().run(command);
        ::_exit(0);
    }
    const auto appears = [](const fs::path& file) {
        for (int i = 0; i < 500 && !fs::exists(file); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return fs::exists(file);
    };
    ASSERT_TRUE(appears(begun));
    ::kill(caller, SIGKILL);
    ::waitpid(caller, nullptr, 0);
    EXPECT_TRUE(appears(done));
}

}  // namespace
}  // namespace vprov::os
