#include "hypervisor/engine/boot_diagnosis.h"

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

// How many characters the terminal escape at the beginning of `text` has; a cut one has all that is left.
std::size_t escape_length(std::string_view text) {
    if (text.size() < 2)
        return text.size();
    if (text[1] == '[') {  // CSI: parameters, then one letter
        const auto end = text.find_first_not_of("0123456789;:<=>? !\"#$%&'()*+,-./", 2);
        return end == std::string_view::npos ? text.size() : end + 1;
    }
    if (text[1] == ']') {  // OSC: ends with BEL or ESC backslash
        const auto end = text.find_first_of("\a\x1b", 2);
        return end == std::string_view::npos ? text.size() : end + (text[end] == '\a' ? 1 : 2);
    }
    return std::string_view("()*+#%").find(text[1]) != std::string_view::npos ? 3 : 2;
}

// The rest of the line behind the first `mark`; nullopt when the text does not hold it.
std::optional<std::string_view> behind(std::string_view text, std::string_view mark) {
    const auto place = text.find(mark);
    if (place == std::string_view::npos)
        return std::nullopt;
    const auto rest = text.substr(place + mark.size());
    return trimmed(rest.substr(0, rest.find('\n')));
}

bool has(std::string_view text, std::string_view mark) {
    return text.find(mark) != std::string_view::npos;
}

std::string panic_cause(std::string_view console, std::string_view panic) {
    if (has(panic, "Unable to mount root fs"))
        return fmt::format(
            "the kernel found no root file system and had no initrd to help ({}); give ramdisk=, and a root= that "
            "names a disk of the domain",
            panic);
    if (has(panic, "No working init") || has(panic, "Attempted to kill init"))
        return fmt::format("the first process of the guest could not go on: {}", panic);
    if (has(panic, "Out of memory") || has(panic, "System is deadlocked on memory") ||
        has(console, "Initramfs unpacking failed: write error"))
        return fmt::format("the guest has too little memory: {}", panic);
    return fmt::format("the kernel panicked: {}", panic);
}

std::string root_cause(std::string_view console) {
    std::string device;
    if (const auto alert = behind(console, "ALERT!"))
        device = alert->substr(0, alert->find(" does not exist"));
    if (device.empty())
        return "the initrd waited for the root device in vain; compare root= with the domain's disks";
    const bool has_disk = has(console, "] vd") || has(console, "virtio_blk");
    return fmt::format(
        "the root device {} does not exist in the guest; {}", device,
        has_disk ? "compare root= with the domain's disks"
                 : "its initrd may lack the driver (virtio_blk), or root= may name a disk the domain does not have");
}

}  // namespace

std::string plain_console_text(std::string_view raw) {
    std::string text;
    while (!raw.empty()) {
        const char c = raw[0];
        const auto length = c == '\x1b' ? escape_length(raw) : 1;
        if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f))
            text += c;
        raw.remove_prefix(std::min(length, raw.size()));
    }
    return text;
}

bool is_login_prompt(std::string_view last_line) {
    constexpr std::string_view kPrompt = " login:";
    if (last_line.ends_with(' '))
        last_line.remove_suffix(1);
    return last_line.size() > kPrompt.size() && last_line.ends_with(kPrompt) &&
           last_line[last_line.size() - kPrompt.size() - 1] != ' ';
}

bool waits_for_room(std::string_view console) {
    const auto place = console.rfind(kWaitsForRoom);
    return place != std::string_view::npos && !has(console.substr(place), kHasRoom);
}

std::optional<BootFailure> diagnose_boot(std::string_view console) {
    if (waits_for_room(console))
        return BootFailure{fmt::format("it {}", kWaitsForRoom), true};
    if (const auto cause = behind(console, "vprov-init: cannot find the root device "))
        return BootFailure{
            fmt::format("the small initrd found no root device {}; compare root= with the domain's disks", *cause),
            true};
    if (const auto cause = behind(console, "vprov-init: cannot mount "))
        return BootFailure{fmt::format("the small initrd cannot mount {}", *cause), true};
    if (const auto cause = behind(console, "vprov-init: cannot start "))
        return BootFailure{fmt::format("the small initrd cannot start {}", *cause), true};
    if (has(console, "ALERT!") || has(console, "Gave up waiting for root"))
        return BootFailure{root_cause(console), has(console, "(initramfs)") || has(console, "Dropping to a shell")};
    if (const auto panic = behind(console, "Kernel panic - not syncing: "))
        return BootFailure{panic_cause(console, *panic), true};
    if (has(console, "You are in emergency mode") ||
        has(console, "Cannot open access to console, the root account is locked")) {
        const auto failed = behind(console, "Dependency failed for ");
        return BootFailure{failed ? fmt::format("the guest went into emergency mode: dependency failed for {}", *failed)
                                  : "the guest went into emergency mode; see journalctl -xb there",
                           true};
    }
    if (const auto killed = behind(console, "Out of memory: Killed process "))
        return BootFailure{fmt::format("the guest has too little memory: the kernel killed process {}", *killed),
                           false};
    if (has(console, "No bootable device") || has(console, "Boot failed: not a bootable disk"))
        return BootFailure{"the disk has no boot loader: SeaBIOS found nothing to boot",
                           has(console, "No bootable device")};
    if (has(console, "(initramfs)"))
        return BootFailure{"the initrd stopped with a shell", true};
    return std::nullopt;
}

}  // namespace vprov::hypervisor
