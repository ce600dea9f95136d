#include <array>

#include "base/text.h"
#include "base/uuid.h"
#include "recipe/address.h"
#include "recipe/charset.h"
#include "recipe/forms.h"

namespace vprov::recipe {

std::string flaw_of_disk_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || !is_alphanumeric(name.front()) || !is_made_of(name, "._-"))
        return "a disk's name is letters, digits, '.', '_' and '-', and starts with a letter or digit";
    if (name == "initrd")
        return "initrd.img is the guest's initial ramdisk";
    return {};
}

std::string flaw_of_mount(std::string_view path) {
    static constexpr std::array<std::string_view, 9> kNeededInRoot = {"/bin",  "/dev", "/etc",  "/lib", "/lib64",
                                                                      "/proc", "/run", "/sbin", "/sys"};
    if (path == "/")
        return {};
    if (!path.starts_with('/') || path.ends_with('/') || !is_made_of(path, "/._+@-"))
        return "a mount point is an absolute path of letters, digits, '/', '.', '_', '+', '@' and '-'";
    for (const auto part : split(path.substr(1), '/'))
        if (part.empty() || part == "." || part == "..")
            return "a mount point has no empty parts, '.' or '..'";
    for (const auto needed : kNeededInRoot)
        if (path == needed || (path.starts_with(needed) && path[needed.size()] == '/'))
            return "a guest needs this directory as it is before it mounts anything";
    return {};
}

std::string flaw_of_extra_mount(std::string_view path) {
    for (const std::string_view place : {"/dev/", "/run/", "/sys/", "/proc/"})
        if (path.starts_with(place))
            return flaw_of_mount(path.substr(place.size() - 1));
    return path == "/" ? "the guest's root is a disk" : flaw_of_mount(path);
}

std::string flaw_of_mount_source(std::string_view source) {
    return flaw_of_mount_options(source).empty() ? "" : "one word is wanted, as in 'tmpfs' or 'nas.example.org:/srv'";
}

std::string flaw_of_partition_name(std::string_view name) {
    if (name.empty() || name.size() > 36 || !is_alphanumeric(name.front()) || !is_made_of(name, "._-"))
        return "a partition's name is up to 36 letters, digits, '.', '_' and '-', and starts with a letter or digit";
    return {};
}

std::string flaw_of_uuid(std::string_view text) {
    return Uuid::parse(text) ? "" : "a UUID is wanted, as in '0fc63daf-8483-4772-8e79-3d69d8477de4'";
}

std::string flaw_of_filesystem_uuid(std::string_view text) {
    const bool is_short = text.size() == 9 && text[4] == '-' &&
                          std::all_of(text.begin(), text.end(), [](char c) { return c == '-' || is_hex(c); }) &&
                          std::count(text.begin(), text.end(), '-') == 1;
    return is_short ? "" : flaw_of_uuid(text);
}

std::string flaw_of_table_uuid(std::string_view text) {
    const bool is_signature = text.size() == 8 && std::all_of(text.begin(), text.end(), is_hex);
    return is_signature ? "" : flaw_of_uuid(text);
}

std::string flaw_of_host_device(std::string_view path) {
    if (!path.starts_with("/dev/") || path.ends_with('/') || !is_made_of(path, "/._+:@-"))
        return "a path below /dev is wanted, as in '/dev/sdb' or '/dev/vg0/debian1-root'";
    for (const auto part : split(path.substr(1), '/'))
        if (part.empty() || part == "." || part == "..")
            return "a device's path has no empty parts, '.' or '..'";
    return {};
}

std::string flaw_of_mount_options(std::string_view options) {
    if (options.empty() || options.find_first_of(" #\\") != std::string_view::npos || !flaw_of_line(options).empty())
        return "options are words with commas between them and no blanks, as in 'noatime,nodev'";
    return {};
}

std::string flaw_of_label(std::string_view label) {
    if (label.empty() || label.size() > 16 || !is_made_of(label, "._+-"))  // s_volume_name of ext2 has 16 bytes
        return "a label is 1 to 16 letters, digits, '.', '_', '+' or '-'";
    return {};
}

std::string flaw_of_device(std::string_view device) {
    constexpr std::string_view kWanted =
        "a device as 'xvda1' is wanted (xvd, sd, hd or vd, a letter, and a number or none)";
    static constexpr std::array<std::string_view, 4> kPrefixes = {"xvd", "sd", "hd", "vd"};
    for (const auto prefix : kPrefixes) {
        if (!device.starts_with(prefix))
            continue;
        auto rest = device.substr(prefix.size());
        const auto letters =
            static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_lower) - rest.begin());
        rest.remove_prefix(letters);
        const bool numbered =
            std::all_of(rest.begin(), rest.end(), is_digit) && rest.size() <= 3 && !rest.starts_with('0');
        return letters >= 1 && letters <= 2 && numbered ? "" : std::string(kWanted);
    }
    return std::string(kWanted);
}

std::string flaw_of_mac(std::string_view mac) {
    const auto pairs = split(mac, ':');
    bool good = pairs.size() == 6;
    for (const auto pair : pairs) good = good && pair.size() == 2 && is_hex(pair[0]) && is_hex(pair[1]);
    if (!good)
        return "six pairs of hexadecimal digits are wanted, as in '00:16:3e:12:34:56'";
    if (std::string_view("13579bBdDfF").find(mac[1]) != std::string_view::npos)
        return "it is a multicast address: the first pair must be even";
    return mac == "00:00:00:00:00:00" ? "it is no address of a machine" : "";
}

std::string flaw_of_bridge(std::string_view name) {
    if (name.empty() || name.size() > 15 || !is_alphanumeric(name.front()) || !is_made_of(name, "._-"))
        return "the name of a network interface is wanted, at most 15 letters, digits, '.', '_' and '-'";
    return {};
}

std::string flaw_of_interface(std::string_view name) {
    static constexpr std::array<std::string_view, 3> kTaken = {"lo", "all", "default"};  // in /proc/sys/net too
    if (!flaw_of_bridge(name).empty() || name.find('.') != std::string_view::npos ||
        std::all_of(name.begin(), name.end(), is_digit))
        return "the name of a network interface is wanted, at most 15 letters, digits, '_' and '-', not a number";
    return std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end() ? "it has another meaning" : "";
}

std::string flaw_of_address(std::string_view address) {
    return parse_address(address) ? "" : "an IPv4 or IPv6 address is wanted";
}

std::string flaw_of_cidr(std::string_view address) {
    const auto cidr = parse_cidr(address);
    if (!cidr)
        return "\"dhcp\", \"dhcp4\", \"dhcp6\", \"slaac\", \"none\" or an address with its prefix is wanted, as in "
               "'192.0.2.7/24' or '2001:db8::7/64'";
    return cidr->is_network() ? "it is the address of the network, not of a machine in it" : "";
}

}  // namespace vprov::recipe
