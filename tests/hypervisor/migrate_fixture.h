// Moves between two state directories of this host, with a guest of one boot sector. The test's binary is its own
// receiver: its main() is migrate_main.cc's.
#pragma once

#include <functional>
#include <set>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/migrate/migrate.h"
#include "os/command.h"

namespace vprov::hypervisor {

class MigrateTest : public DomainsTest {
  protected:
    void TearDown() override {
        for (const auto& domain : there_.list()) there_.destroy(domain.name);
        EXPECT_TRUE(there_.state().names().empty());
        DomainsTest::TearDown();
    }

    static MoveOptions to(const Domains& target) {
        MoveOptions options;
        options.receiver = {own_program(), "migrate-receive", target.state().root().native()};
        options.target = "there";
        return options;
    }

    static void run_command(const std::vector<std::string>& argv) {
        const os::Command command{argv, os::clean_environment(), ""};
        const auto result = os::SystemCommandRunner().run(command);
        ASSERT_TRUE(result.ok()) << os::describe_failure(command, result);
    }

    static std::set<std::string> names_in(const fs::path& directory) {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
        return names;
    }

    static std::string own_program() { return fs::read_symlink("/proc/self/exe").native(); }

    Moved move(bool live = false) const {
        auto options = to(there_);
        options.live = live;
        return move_domain(domains_, "tiny", options);
    }

    // Waits for each answer: the guest runs, and only where `domains` are.
    void expect_to_run(const Domains& domains, const Domains& not_there) const {
        const auto console = domains.open_console("tiny", Domains::ConsoleMode::write);
        type(console, "Z");
        EXPECT_TRUE(read_until(console, "Z").ends_with("Z"));
        EXPECT_FALSE(not_there.is_running("tiny"));
    }

    // Its disk can be written to, and is copied as one.
    Guest tiny_that_writes() const {
        auto guest = tiny("tiny");
        guest.disks[0].writable = true;
        return guest;
    }

    void start() const {
        create(tiny("tiny"));
        const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
        EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("tiny login: "));
    }

    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }

    Domains there_{StateDir(work_.path() / "there")};
};

}  // namespace vprov::hypervisor
