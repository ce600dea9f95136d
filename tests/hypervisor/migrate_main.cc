#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string_view>
#include <thread>

#include "hypervisor/launch/supervisor.h"
#include "hypervisor/migrate/migrate.h"
#include "os/interrupt.h"

using namespace vprov::hypervisor;

namespace {

std::string own_program() {
    return std::filesystem::read_symlink("/proc/self/exe").native();
}

int migrate(const char* from, const char* to, std::string_view way, const char* directory) {
    try {
        MoveOptions options;
        options.receiver = {own_program(), "migrate-receive", to};
        options.target = "there";
        options.may_share = way != "away";
        options.copies_disks = way == "with-disks";
        options.directory = options.copies_disks ? directory : "";
        move_domain(Domains(StateDir(from)), "tiny", options);
        return 0;
    } catch (const vprov::Error&) {
        return 8;
    }
}

int receive(const char* state) {
    try {
        receive_domain(Domains(StateDir(state)), own_program(), vprov::os::Fd(::fcntl(0, F_DUPFD_CLOEXEC, 3)),
                       vprov::os::Fd(::fcntl(1, F_DUPFD_CLOEXEC, 3)));
        return 0;
    } catch (const vprov::Error&) {
        return 8;
    }
}

// Killed as soon as a domain waits for its state.
int receive_and_die(const char* state) {
    std::thread([state] {
        for (;; std::this_thread::sleep_for(std::chrono::milliseconds(1)))
            if (const auto record = StateDir(state).read("tiny"); record && record->phase == Phase::incoming)
                ::kill(::getpid(), SIGKILL);
    }).detach();
    return receive(state);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 2 ? argv[1] : "";
    if (argc == 4 && verb == "supervise") {
        run_supervisor(argv[2], argv[3]);
        return 0;
    }
    vprov::os::catch_stop_signals();
    if (argc == 6 && verb == "migrate")
        return migrate(argv[2], argv[3], argv[4], argv[5]);
    if (argc == 3 && verb == "migrate-receive")
        return receive(argv[2]);
    if (argc == 3 && verb == "migrate-receive-and-die")
        return receive_and_die(argv[2]);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
