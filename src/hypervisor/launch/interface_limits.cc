#include "hypervisor/launch/interface_limits.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/tap.h"
#include "os/command.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

// What comes at once at most: a packet of offloaded segments, or what the rate gives in a twentieth of a second.
constexpr std::uint64_t burst(std::uint64_t bytes_per_second) {
    constexpr std::uint64_t kLargestPacket = 64 << 10;
    return std::max(kLargestPacket, bytes_per_second / 20);
}

std::uint64_t bytes_per_second(const GuestInterface& vif) {
    return kilobytes_per_second(vif.rate) * 1000;
}

bool is_address(int family, std::string_view text) {
    const std::string address(text.substr(0, text.find('/')));
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const auto length = text.substr(std::min(address.size() + 1, text.size()));
    return ::inet_pton(family, address.c_str(), bytes.data()) == 1 && length.size() <= 3 &&
           length.find_first_not_of("0123456789") == std::string_view::npos && !text.ends_with('/');
}

// nft or tc. "" when it did it, else why not.
std::string failure_of(std::vector<std::string> argv, std::string input) {
    if (!os::program_exists(argv[0]))
        return fmt::format("{} is not installed (apt install {})", argv[0], argv[0] == "tc" ? "iproute2" : "nftables");
    os::Command command{std::move(argv), os::clean_environment(), std::move(input)};
    command.runs_to_its_end = true;
    const auto result = os::SystemCommandRunner().run(command);
    if (result.ok())
        return "";
    const auto said = trimmed(result.errors);
    return said.empty() ? fmt::format("exit status {}", result.status) : std::string(said.substr(0, said.find('\n')));
}

std::string network_namespace() {
    struct stat status {};
    return ::stat("/proc/self/ns/net", &status) == 0 ? std::to_string(status.st_ino) : "";
}

// A symbolic link, which is there whole or not at all, whenever this process dies.
void note_table(const fs::path& link) {
    ::unlink(link.c_str());
    if (::symlink(network_namespace().c_str(), link.c_str()) != 0)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot make {}", quote(link.native())));
}

std::string deletion_of(const std::string& tap) {
    // a table that is not there cannot be deleted, one that is there can be added
    return fmt::format("add table netdev vprov-{0}\ndelete table netdev vprov-{0}\n", tap);
}

}  // namespace

std::string filter_rules(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                         std::vector<std::string>& warnings) {
    std::vector<std::string> v4 = {"0.0.0.0"}, v6 = {"::", "fe80::/10"};
    for (const auto address : split_words(vif.ip)) {
        const bool is_v4 = is_address(AF_INET, address);
        if (is_v4 || is_address(AF_INET6, address))
            (is_v4 ? v4 : v6).emplace_back(address);
        else
            warnings.push_back(fmt::format("{} of an interface's ip is not an address", quote(address)));
    }
    std::string rules;
    if (!vif.ip.empty()) {
        rules += fmt::format("    ether saddr != {0} drop\n    arp saddr ether != {0} drop\n", mac);
        rules += fmt::format("    arp saddr ip != {{ {} }} drop\n", joined(v4, ", "));
        rules += fmt::format("    ip saddr != {{ {} }} drop\n", joined(v4, ", "));
        rules += fmt::format("    ip6 saddr != {{ {} }} drop\n", joined(v6, ", "));
    }
    if (const auto rate = bytes_per_second(vif); rate != 0)
        rules += fmt::format("    limit rate over {} bytes/second burst {} bytes drop\n", rate, burst(rate));
    if (rules.empty())
        return "";
    return fmt::format(
        "{0}table netdev vprov-{1} {{\n  chain from-guest {{\n    type filter hook ingress device \"{1}\" "
        "priority 0; policy accept;\n{2}  }}\n}}\n",
        deletion_of(tap), tap, rules);
}

std::vector<std::string> limit_interface(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                                         const fs::path& directory) {
    std::vector<std::string> warnings;
    if (auto rules = filter_rules(vif, mac, tap, warnings); !rules.empty()) {
        fs::create_directories(directory);
        note_table(directory / tap);
        if (const auto why = failure_of({"nft", "-f", "-"}, std::move(rules)); !why.empty())
            warnings.push_back(
                fmt::format("what the guest sends on {} is not checked against its ip and rate: {}", tap, why));
    }
    const auto rate = bytes_per_second(vif);
    if (rate == 0)
        return warnings;
    const auto why = failure_of({"tc", "qdisc", "add", "dev", tap, "root", "tbf", "rate", fmt::format("{}bps", rate),
                                 "burst", std::to_string(burst(rate)), "latency", "50ms"},
                                "");
    if (!why.empty())
        warnings.push_back(fmt::format("what is sent to the guest on {} is not limited to its rate: {}", tap, why));
    return warnings;
}

std::string tap_name(unsigned id, const Guest& guest, std::size_t index) {
    return fmt::format("vif{}.{}", id, interface_devid(guest, index));
}

BridgePort connect_limited(unsigned id, const Guest& guest, std::size_t index, const fs::path& directory) {
    const auto& vif = guest.interfaces[index];
    const auto name = tap_name(id, guest, index);
    auto side = connect_interface(vif, name);
    BridgePort port{std::move(side.tap), {}};
    if (!side.warning.empty())
        port.warnings.push_back(side.warning);
    for (auto& warning : port.tap.is_open() ? limit_interface(vif, interface_mac(guest, index), name, directory)
                                            : limits_without_effect(vif))
        port.warnings.push_back(std::move(warning));
    return port;
}

std::vector<std::string> limits_without_effect(const GuestInterface& vif) {
    if (vif.ip.empty() && vif.rate.empty())
        return {};
    return {"ip and rate of an interface have an effect on a bridge only"};
}

void remove_stale_limits(const fs::path& directory) noexcept {
    try {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(directory, none)) {
            const auto tap = entry.path().filename().native();
            if (fs::read_symlink(entry.path()) != network_namespace() || ::if_nametoindex(tap.c_str()) != 0)
                continue;
            failure_of({"nft", "-f", "-"}, deletion_of(tap));
            ::unlink(entry.path().c_str());
        }
    } catch (const std::exception&) {
        // asked to stop, or somebody else is at it: the next command does it
    }
}

}  // namespace vprov::hypervisor
