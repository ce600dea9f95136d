#include "bootstrap/configure/sandbox.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "bootstrap/configure/stand_ins.h"
#include "os/temp_dir.h"
#include "os/user_namespace.h"

namespace vprov::configure {
namespace {
namespace fs = std::filesystem;

enum class As { root, user };

bool namespaces_can_be_made() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit((::geteuid() == 0 || ::unshare(CLONE_NEWUSER) == 0) && ::unshare(CLONE_NEWNS) == 0 ? 0 : 1);
    int status = 1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

// A tree with a static program that answers questions about where it runs; once for root, if this is root, and once in
// a user namespace, which anybody can have.
class SandboxTest : public testing::TestWithParam<As> {
  protected:
    void SetUp() override {
        if (!namespaces_can_be_made())
            GTEST_SKIP() << "namespaces cannot be made here: " << os::what_forbids_user_namespaces().text();
        if (GetParam() == As::root && ::geteuid() != 0)
            GTEST_SKIP() << "needs root";
        for (const auto* folder : {"proc", "sys", "dev/pts", "dev/shm", "run", "etc", "usr/sbin"})
            fs::create_directories(tree_ / folder);
        fs::create_directory(work_.path() / "scratch");
        fs::copy_file(VPROV_SANDBOX_PROBE, tree_ / "probe");
    }

    os::RootAccess access() const {
        if (GetParam() == As::root)
            return {os::RootBy::being_root, {}, {}, {}};
        return {os::RootBy::single_id, {{0, ::geteuid(), 1}}, {{0, ::getegid(), 1}}, {}};
    }

    std::string ask(std::vector<std::string> questions, Network network = Network::none) {
        os::SystemCommandRunner runner;
        return os::run_as_root(access(), runner, [&] {
            Sandbox sandbox(tree_, work_.path() / "scratch", "sandboxed", network);
            std::string answers;
            SandboxCommand command;
            command.argv = {"/probe"};
            command.argv.insert(command.argv.end(), questions.begin(), questions.end());
            command.on_output = [&](std::string_view line) { answers += std::string(line) + "\n"; };
            if (const int status = sandbox.run(command); status != 0)
                answers += fmt::format("exit status {}\n", status);
            return answers;
        });
    }

    // What programs say, one after the other, with small stand-ins or without.
    std::string run_all(std::vector<std::vector<std::string>> commands, bool small_stand_ins) {
        os::SystemCommandRunner runner;
        return os::run_as_root(access(), runner, [&] {
            Sandbox sandbox(tree_, work_.path() / "scratch", "sandboxed");
            std::string said;
            for (auto& argv : commands) {
                SandboxCommand command;
                command.argv = std::move(argv);
                command.small_stand_ins = small_stand_ins;
                command.on_output = [&](std::string_view line) { said += std::string(line) + "\n"; };
                if (const int status = sandbox.run(command); status != 0)
                    said += fmt::format("exit status {}\n", status);
            }
            return said;
        });
    }

    std::string listing() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(tree_))
            names.push_back(entry.path().lexically_relative(tree_).native());
        std::sort(names.begin(), names.end());
        std::string text;
        for (const auto& name : names) text += name + " ";
        return text;
    }

    os::TempDir work_{"/tmp", "vprov-sandbox-"};
    fs::path tree_ = work_.path() / "tree";
};

INSTANTIATE_TEST_SUITE_P(, SandboxTest, testing::Values(As::root, As::user),
                         [](const auto& made) { return made.param == As::root ? "AsRoot" : "AsUser"; });

TEST_P(SandboxTest, DevicesOfTheHostAreOutOfReach) {
    EXPECT_EQ(
        ask({"devices"}),
        fmt::format("null ok, zero ok, full ok, random ok, urandom ok, ptmx ok, console ENOENT, kmsg ENOENT, made {}\n",
                    GetParam() == As::root ? "EACCES" : "ENOENT"));
}

TEST_P(SandboxTest, TheHostsNetworkIsThereOnlyIfAskedFor) {
    EXPECT_EQ(ask({"network"}), "lo\n");
    std::string of_host;
    auto* all = ::if_nameindex();
    for (auto* one = all; one && one->if_index != 0; ++one)
        of_host += (one == all ? "" : " ") + std::string(one->if_name);
    ::if_freenameindex(all);
    EXPECT_EQ(ask({"network", "resolver"}, Network::host), of_host + "\nok\n");
}

TEST_P(SandboxTest, TheKernelIsOutOfReach) {
    // chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write
    // setfcap: what Docker leaves
    EXPECT_EQ(ask({"setting", "mount", "capabilities"}), "EROFS\nEPERM\na80425fb\n");
}

TEST_P(SandboxTest, SyncingIsANoOp) {
    EXPECT_EQ(ask({"sync"}), "ok ok\n");
}

TEST_P(SandboxTest, OnlyItsOwnProcessesAreSeen) {
    EXPECT_EQ(ask({"processes"}), "few\n");
}

TEST_P(SandboxTest, NothingIsLeftRunning) {
    EXPECT_EQ(ask({"daemon"}), "\n");
    const auto size = fs::file_size(tree_ / "alive");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(fs::file_size(tree_ / "alive"), size);
}

TEST_P(SandboxTest, NothingIsLeftInTheTree) {
    const auto before = listing();
    ask({"devices", "resolver"}, Network::host);
    EXPECT_EQ(listing(), before);
}

TEST_P(SandboxTest, ALinkLeadsNoMountOutOfTheTree) {
    const os::TempDir outside("/tmp", "vprov-outside-");
    fs::remove_all(tree_ / "dev");
    fs::create_symlink(outside.path(), tree_ / "dev");
    EXPECT_THROW(ask({"devices"}), Error);
    EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST_P(SandboxTest, SmallProgramsAreCoveredForThoseWhoAskAndCopiedAsTheyAre) {
    if (small_programs().empty())
        GTEST_SKIP() << "there are none for this machine's architecture";
    fs::create_directories(tree_ / "usr/bin");
    for (const auto* name : {"basename", "cp"}) fs::copy_file(VPROV_SANDBOX_PROBE, tree_ / "usr/bin" / name);
    const std::vector<std::vector<std::string>> commands = {{"/usr/bin/basename", "/a/b.c", ".c"},
                                                            {"/usr/bin/cp", "-p", "/usr/bin/basename", "/copied"},
                                                            {"/usr/bin/basename", "--", "sync"}};
    const auto real = run_all({{"/probe", "--", "sync"}}, false);
    EXPECT_EQ(run_all(commands, true), "b\n" + real);
    EXPECT_TRUE(os::read_file(tree_ / "copied") == os::read_file(VPROV_SANDBOX_PROBE));
    EXPECT_EQ(run_all({commands[2]}, false), real);
}

}  // namespace
}  // namespace vprov::configure
