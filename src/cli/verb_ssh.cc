#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "cli/engine.h"
#include "cli/verbs.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/domains.h"
#include "os/command.h"

namespace vprov::cli {
namespace {

struct SshOptions {
    std::string name, user = "root";
    std::vector<std::string> words;
};

// Whom this host has talked to under a MAC address: /proc/net/arp has "IP TYPE FLAGS MAC MASK DEVICE" a line.
std::string address_of(std::string_view mac) {
    std::ifstream table("/proc/net/arp");
    for (std::string line; std::getline(table, line);) {
        const auto words = split_words(line);
        if (words.size() >= 4 && words[3] == mac && words[2] != "0x0")
            return std::string(words[0]);
    }
    return "";
}

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

struct Place {
    std::string address;
    unsigned port = 22;
};

// What its configuration says, else what the host has learnt of its MAC addresses.
Place place_of(const hypervisor::Guest& guest) {
    constexpr unsigned kSsh = 22;
    for (const auto& vif : guest.interfaces)
        for (const auto& forward : vif.forwards)
            if (!forward.is_udp && forward.guest_port == kSsh)
                return {forward.address == "0.0.0.0" ? "127.0.0.1" : forward.address, forward.port};
    for (const auto& vif : guest.interfaces)
        if (const auto addresses = split_words(vif.ip); !addresses.empty())
            return {std::string(addresses.front())};
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i)
        if (auto address = address_of(lower(hypervisor::interface_mac(guest, i))); !address.empty())
            return {address};
    throw error(ErrorKind::hypervisor,
                "cannot find an address of {}: its configuration has no ip= and this host has not heard of its network "
                "cards",
                quote(guest.name));
}

}  // namespace

void add_ssh(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("ssh", "Log in to a domain with ssh, or run a command there");
    auto options = std::make_shared<SshOptions>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("COMMAND", options->words, "What to run there, with its words");
    verb->add_option("-l,--login", options->user, "As which user")->type_name("USER")->capture_default_str();
    verb->positionals_at_end();
    verb->callback([options, &session] {
        const auto domains = qemu_domains(session, "ssh");
        const auto domain = domains.find(options->name);
        const auto place = place_of(domains.configuration(domain.name));
        const auto program = os::find_program("ssh");
        if (program.empty())
            throw error(ErrorKind::hypervisor, "cannot run ssh: it is not installed (apt install openssh-client)");
        // Guests come and go under one address; their keys are kept by their names.
        std::vector<std::string> argv = {
            program, "-l",         options->user, "-o", "HostKeyAlias=" + domain.name, "-p", std::to_string(place.port),
            "--",    place.address};
        argv.insert(argv.end(), options->words.begin(), options->words.end());
        std::vector<char*> pointers;
        pointers.reserve(argv.size() + 1);
        for (auto& word : argv) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        ::execv(program.c_str(), pointers.data());
        throw system_error(ErrorKind::hypervisor, errno, "cannot run " + quote(program));
    });
}

}  // namespace vprov::cli
