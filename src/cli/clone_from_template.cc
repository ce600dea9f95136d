#include "cli/clone_from_template.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "cli/configurations.h"
#include "cli/engine.h"
#include "hypervisor/template/clone.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

using hypervisor::Guest;

bool is_address(const std::string& text, int family) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

void check_address(const CloneVerb& verb) {
    if (verb.address.empty() && !verb.gateway.empty())
        throw error(ErrorKind::usage, "cannot use --gateway without --address");
    if (verb.address.empty())
        return;
    const auto slash = verb.address.find('/');
    const auto address = verb.address.substr(0, slash);
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    const unsigned most = family == AF_INET ? 32 : 128;
    unsigned prefix = 0;
    const auto* end = verb.address.data() + verb.address.size();
    const bool has_prefix =
        slash != std::string::npos && std::from_chars(verb.address.data() + slash + 1, end, prefix).ptr == end;
    if (!is_address(address, family) || !has_prefix || prefix == 0 || prefix > most)
        throw error(ErrorKind::usage, "cannot use {}: an address with its prefix is such as 192.0.2.7/24",
                    quote(verb.address));
    if (!verb.gateway.empty() && !is_address(verb.gateway, family))
        throw error(ErrorKind::usage, "cannot use the gateway {}: it is no address of the same kind",
                    quote(verb.gateway));
}

// What a running guest cannot be told.
void check_unchanged(const Guest& given, const Guest& own) {
    const auto refuse = [](std::string_view what) {
        throw error(ErrorKind::usage, "cannot give a clone {}: its template runs already", what);
    };
    if (given.memory_mib != own.memory_mib || given.maxmem_mib != own.maxmem_mib)
        refuse("another size of memory");
    if (given.vcpus != own.vcpus || given.maxvcpus != own.maxvcpus)
        refuse("another number of processors");
    if (given.disks != own.disks)
        refuse("other disks");
    if (given.type != own.type || given.kernel != own.kernel || given.ramdisk != own.ramdisk ||
        given.cmdline != own.cmdline || given.firmware != own.firmware)
        refuse("another kernel or firmware");
    if (given.interfaces.size() != own.interfaces.size())
        refuse("another number of network cards (vprov network-attach adds one later)");
    if (given.vnc != own.vnc || given.screen != own.screen || given.usb != own.usb || given.agent != own.agent)
        refuse("other devices");
}

Guest with_settings_of(const Guest& own, const std::vector<std::string>& settings) {
    if (settings.empty())
        return own;
    auto given = hypervisor::read_xl_cfg(with_settings(hypervisor::write_xl_cfg(own), settings), own.name).guest;
    check_unchanged(given, own);
    for (std::size_t i = 0; i < own.interfaces.size(); ++i) {
        auto& card = given.interfaces[i];
        card.pci_slot = own.interfaces[i].pci_slot;
        card.other["devid"] = own.interfaces[i].other.at("devid");
        if (card.mac.empty())
            card.mac = own.interfaces[i].mac;
    }
    return given;
}

// The host lets a card send from this address alone, if it is said (anti-spoofing), and two guests cannot have it.
void set_address(Guest& guest, const CloneVerb& verb) {
    if (guest.interfaces.empty()) {
        if (!verb.address.empty())
            throw error(ErrorKind::usage, "cannot use --address: the template has no network card");
        return;
    }
    auto& first = guest.interfaces.front();
    if (!verb.address.empty() && !first.ip.empty())
        first.ip = verb.address.substr(0, verb.address.find('/'));
    else if (!first.ip.empty())
        throw error(ErrorKind::usage,
                    "cannot start {}: its template has the address {} (give the clone its own: --address)",
                    quote(guest.name), first.ip);
}

}  // namespace

hypervisor::CreatedDomain create_from_template(const std::string& name, const fs::path& output,
                                               const std::vector<std::string>& settings, const CloneVerb& verb,
                                               const Session& session) {
    check_address(verb);
    const auto from = hypervisor::open_template(verb.directory);
    auto guest = hypervisor::guest_of_clone(from, name);
    set_address(guest, verb);
    guest = with_settings_of(guest, settings);
    std::error_code failed;
    fs::create_directories(output, failed);
    if (failed)
        throw error(ErrorKind::disk, "cannot make {}: {}", quote(output.native()), failed.message());
    const auto clone = hypervisor::start_clone(
        qemu_domains(session, "create --from"), from, std::move(guest), output / name,
        {session.executable, verb.hostname, verb.address, verb.gateway, verb.waits_for_network});
    if (!clone.address.empty() && session.output != OutputMode::quiet)
        std::fputs(fmt::format("{}: address {}\n", name, clone.address).c_str(), stderr);
    return clone.domain;
}

}  // namespace vprov::cli
