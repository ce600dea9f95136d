// Why a guest did not reach its login prompt, read from its console. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vprov::hypervisor {

// Console output as lines of text: terminal escapes, carriage returns and other control characters are taken out.
std::string plain_console_text(std::string_view raw);

// True for "debian1 login: ", the last line of a console that waits for somebody to log in.
bool is_login_prompt(std::string_view last_line);

// What a supervisor says on the console of a guest that QEMU has stopped: "web1 ... (CAUSE); ..."; and when it goes on.
inline constexpr std::string_view kWaitsForRoom = "stands still, for the host has no room for what it writes to a disk";
inline constexpr std::string_view kHasRoom = "has room for what it writes";
bool waits_for_room(std::string_view console);

struct BootFailure {
    std::string cause;      // "the kernel panicked: VFS: Unable to mount root fs on unknown-block(0,0)"
    bool is_final = false;  // nothing more will come: no use in waiting longer
};

// The most telling sign of failure in `console` (plain text); nullopt if there is none.
std::optional<BootFailure> diagnose_boot(std::string_view console);

}  // namespace vprov::hypervisor
