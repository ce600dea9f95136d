// A test with domains of a guest of one boot sector in QEMU's TCG. The test's binary is its own supervisor program: its
// main() is domains_main.cc's.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/domains.h"
#include "hypervisor/tiny_guest.h"
#include "os/command.h"

namespace vprov::hypervisor {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class DomainsTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!os::program_exists("qemu-system-x86_64"))
            GTEST_SKIP() << "QEMU is not installed";
        os::write_file(disk_, tiny_guest_disk());
    }
    // No domain, no process and no file of one is left, whatever the test did.
    void TearDown() override {
        for (const auto& domain : domains_.list()) domains_.destroy(domain.name);
        EXPECT_TRUE(domains_.state().names().empty());
        // a supervisor's domain is gone a moment before its process is
        for (int i = 0; i < 100 && !processes_of_this_test().empty(); ++i) std::this_thread::sleep_for(50ms);
        EXPECT_EQ(processes_of_this_test(), std::vector<std::string>());
    }

    // Command lines that hold the name of the test's work directory: supervisors, and QEMUs, which are told what the
    // files are that they are given.
    std::vector<std::string> processes_of_this_test() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator("/proc")) {
            const auto name = entry.path().filename().native();
            if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(::getpid()))
                continue;
            try {
                const auto line = os::read_file(entry.path() / "cmdline");
                if (line.find(work_.path().native()) != std::string::npos)
                    found.push_back(name + " " + line.substr(0, line.find('\0')));
            } catch (const Error&) {
                continue;  // it has ended meanwhile
            }
        }
        return found;
    }

    Guest tiny(std::string name) const {
        Guest guest;
        guest.name = std::move(name);
        guest.type = GuestType::hvm;
        guest.memory_mib = 32;
        guest.disks = {{disk_.native(), DiskFormat::raw, "xvda", false, false}};
        return guest;
    }

    CreatedDomain create(const Guest& guest) const {
        return domains_.create(guest, {fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()});
    }
    std::string error_of_creating(const Guest& guest) const {
        try {
            create(guest);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::hypervisor);
            return e.message();
        }
        return "no error";
    }

    static void type(const Domains::Console& console, std::string_view keys) {
        ASSERT_EQ(::send(console.stream.get(), keys.data(), keys.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(keys.size()));
    }

    // What the console says up to `end`; all of it when that does not come before its end, or within 20 s.
    static std::string read_until(const Domains::Console& console, std::string_view end) {
        std::string text;
        pollfd waiting{console.stream.get(), POLLIN, 0};
        while (!text.ends_with(end) && ::poll(&waiting, 1, 20000) > 0) {
            char c = 0;
            if (::recv(console.stream.get(), &c, 1, 0) != 1)
                break;
            text += c;
        }
        return text;
    }

    os::TempDir work_{fs::temp_directory_path(), "vprov-domains-test-"};
    fs::path disk_ = work_.path() / "tiny,disk.img";  // a comma is special to QEMU
    Domains domains_{StateDir(work_.path() / "state")};
};

}  // namespace vprov::hypervisor
