#include "os/user_namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/error.h"
#include "os/fd.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"

namespace vprov::os {
namespace {

// A namespace in which there is this process's own id only, which anybody may make.
RootAccess single_id() {
    return {RootBy::single_id, {{0, ::geteuid(), 1}}, {{0, ::getegid(), 1}}, {}};
}

bool namespaces_can_be_made() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(::unshare(CLONE_NEWUSER) == 0 && ::unshare(CLONE_NEWNS) == 0 ? 0 : 1);
    int status = 1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

class UserNamespace : public testing::Test {
  protected:
    void SetUp() override {
        if (!namespaces_can_be_made())
            GTEST_SKIP() << "user namespaces cannot be made here: " << what_forbids_user_namespaces().text();
    }
    std::string run(const std::function<std::string()>& work) { return run_as_root(single_id(), runner_, work); }
    SystemCommandRunner runner_;
};

TEST_F(UserNamespace, WorkRunsAsRootInAChild) {
    const auto self = std::to_string(::getpid());
    const auto caller = ::geteuid();
    const auto result = run([&] {
        EXPECT_EQ(caller_id(), caller);
        return fmt::format("{} {} {}", ::getuid(), ::getegid(), std::to_string(::getpid()) == self);
    });
    EXPECT_EQ(result, "0 0 false");
    EXPECT_EQ(caller_id(), caller);
}

TEST_F(UserNamespace, ErrorsComeBackAsTheyWere) {
    try {
        run([]() -> std::string { throw error(ErrorKind::packages, "cannot find 'x': {}", "none"); });
        FAIL() << "nothing was thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::packages);
        EXPECT_EQ(e.message(), "cannot find 'x': none");
    }
    try {
        run([]() -> std::string { throw std::runtime_error("bad"); });
        FAIL() << "nothing was thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::internal);
        EXPECT_EQ(e.message(), "internal error: bad");
    }
}

TEST_F(UserNamespace, AChildThatIsKilledIsReported) {
    try {
        run([]() -> std::string {
            ::raise(SIGKILL);
            return "";
        });
        FAIL() << "nothing was thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot go on: the process at work was ended by signal 9; was there enough memory?");
    }
}

TEST_F(UserNamespace, WithASingleIdOwnersArePretended) {
    const TempDir work("/tmp", "vprov-namespace-");
    const auto file = work.path() / "file";
    const auto result = run([&] {
        const auto fd = open_file(file, O_CREAT | O_WRONLY);
        std::string text;
        for (const int answer : {::fchown(fd.get(), 7, 7), ::setuid(33), ::setgid(33)})
            text += std::to_string(answer) + " ";
        return text + std::to_string(::getuid());
    });
    EXPECT_EQ(result, "0 0 0 0");
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, ::geteuid());
}

// The stop request is this process's alone; the child hears of it by the signal that it is sent.
TEST_F(UserNamespace, AStopRequestEndsTheChild) {
    catch_stop_signals();
    const pid_t test = ::getpid();
    const pid_t later = ::fork();  // no thread, whose locks in AddressSanitizer the child of run() would inherit
    if (later == 0) {
        ::usleep(200'000);
        ::kill(test, SIGTERM);
        ::_exit(0);
    }
    try {
        run([]() -> std::string {
            for (int i = 0; i < 6000; ++i) {
                check_stop();
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
            return "never stopped";
        });
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::interrupted);
    }
    ::waitpid(later, nullptr, 0);
    forget_stop();
}

TEST_F(UserNamespace, AMapThatIsNotAllowedIsAnError) {
    if (::geteuid() == 0)
        GTEST_SKIP() << "root may map what it likes";
    const RootAccess greedy{RootBy::nested_ids, {{0, 0, 65536}}, {{0, 0, 65536}}, {}};
    EXPECT_THROW(run_as_root(greedy, runner_, [] { return std::string(); }), Error);
}

TEST(RootAccess, RootOfTheHostNeedsNone) {
    SystemCommandRunner runner;
    const auto self = ::getpid();
    EXPECT_EQ(run_as_root({RootBy::being_root, {}, {}, {}}, runner, [&] { return std::to_string(::getpid() - self); }),
              "0");
}

TEST(Programs, SystemDirectoriesAreSearchedBesidesPath) {
    const std::string before = std::getenv("PATH");
    ::setenv("PATH", "/nonexistent", 1);
    const auto found = find_program("start-stop-daemon"), missing = find_program("no-such-program");
    ::setenv("PATH", before.c_str(), 1);
    EXPECT_TRUE(found == "/usr/sbin/start-stop-daemon" || found == "/sbin/start-stop-daemon") << found;
    EXPECT_EQ(missing, "");
    EXPECT_EQ(find_program("/usr/sbin"), "");  // a directory
}

}  // namespace
}  // namespace vprov::os
