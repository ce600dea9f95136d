#include "hypervisor/guest/qemu_screen.h"

#include <algorithm>

#include <fmt/format.h>

namespace vprov::hypervisor {
namespace {

std::string address(const Guest& guest) {
    if (guest.vnclisten == "::1" || guest.vnclisten == "[::1]")
        return "[::1]";
    const bool is_loopback =
        guest.vnclisten.starts_with("127.") && guest.vnclisten.find_first_not_of("0123456789.") == std::string::npos;
    return is_loopback ? guest.vnclisten : "127.0.0.1";
}

std::string display(const Guest& guest, const QemuHost& host) {
    constexpr unsigned kLast = 99;
    const auto first = guest.vncdisplay.value_or(0);
    auto option = fmt::format("{}:{}", address(guest), first);
    if (guest.vncunused.value_or(true))
        option += fmt::format(",to={}", std::max(kLast, first));
    if (host.vnc_password_fd >= 0)
        option += ",password-secret=vnc0";
    return option;
}

// "" for no card.
std::string card(const Guest& guest) {
    constexpr unsigned kMostMib = 256;
    const auto memory = [&](std::string_view name) {
        return guest.videoram_mib == 0 ? std::string(name)
                                       : fmt::format("{},vgamem_mb={}", name, std::min(guest.videoram_mib, kMostMib));
    };
    switch (guest.screen) {
        case Screen::none:
            return "";
        case Screen::cirrus:
            return "cirrus-vga";
        case Screen::qxl:
            return memory("qxl-vga");
        case Screen::automatic:
        case Screen::standard:
            break;
    }
    return memory("VGA");
}

}  // namespace

void append_screen(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    if (!guest.vnc) {
        argv.insert(argv.end(), {"-display", "none"});
    } else {
        // a descriptor's file: what is in argv can be read by everybody
        if (host.vnc_password_fd >= 0)
            argv.insert(argv.end(),
                        {"-object", fmt::format("secret,id=vnc0,file=/proc/self/fd/{}", host.vnc_password_fd)});
        argv.insert(argv.end(), {"-vnc", display(guest, host)});
        if (!guest.keymap.empty() && guest.keymap.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos)
            argv.insert(argv.end(), {"-k", guest.keymap});
        if (const auto device = card(guest); !device.empty())
            argv.insert(argv.end(), {"-device", device});
    }
    if (std::find(guest.usbdevices.begin(), guest.usbdevices.end(), "tablet") != guest.usbdevices.end())
        argv.insert(argv.end(), {"-usb", "-device", "usb-tablet"});
}

}  // namespace vprov::hypervisor
