#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/devices/interfaces.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::cli {
namespace {

// The columns of `xl network-list`. There are no rings and event channels here, and the backend's path is the tap's.
void print_table(const hypervisor::Guest& guest, unsigned id) {
    constexpr int kConnected = 4, kNone = -1;
    fmt::print("{:<3} {:<2} {:<17} {:<6} {:<5} {:<6} {:>5}/{:<5} {:<30}\n", "Idx", "BE", "Mac Addr.", "handle", "state",
               "evt-ch", "tx-", "rx-ring-ref", "BE-path");
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) {
        const auto devid = hypervisor::interface_devid(guest, i);
        fmt::print("{:<3} {:<2} {:<17} {:>6} {:>5} {:>6} {:>5}/{:<11} vif{}.{}\n", devid, 0,
                   hypervisor::interface_mac(guest, i), devid, kConnected, kNone, kNone, kNone, id, devid);
    }
}

void print_json(const hypervisor::Guest& guest) {
    auto array = nlohmann::json::array();
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i)
        array.push_back({{"devid", hypervisor::interface_devid(guest, i)},
                         {"mac", hypervisor::interface_mac(guest, i)},
                         {"bridge", guest.interfaces[i].bridge},
                         {"model", guest.interfaces[i].model}});
    fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_network_attach(CLI::App& app, Session&) {
    struct Options {
        std::string name;
        std::vector<std::string> specification;
    };
    auto* verb = app.add_subcommand("network-attach", "Plug a network card into a running domain");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("KEY=VALUE", options->specification,
                     "As in xl-network-configuration(5): bridge=xenbr0 mac=00:16:3e:01:02:03");
    verb->callback([options] {
        auto interface = hypervisor::parse_vif_spec(joined(options->specification, ","));
        for (const auto& warning :
             hypervisor::attach_interface(hypervisor::Domains::standard(), options->name, std::move(interface)))
            fmt::print(stderr, "vprov: warning: {}\n", warning);
    });
}

void add_network_detach(CLI::App& app, Session&) {
    struct Options {
        std::string name, card;
    };
    auto* verb = app.add_subcommand("network-detach", "Unplug a network card from a running domain");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("DEVID|MAC", options->card, "The card's number or address, as network-list has it")->required();
    verb->callback(
        [options] { hypervisor::detach_interface(hypervisor::Domains::standard(), options->name, options->card); });
}

void add_network_list(CLI::App& app, Session& session) {
    struct Options {
        std::string name;
        bool json = false;
    };
    auto* verb = app.add_subcommand("network-list", "List a running domain's network cards");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_flag("--json", options->json, "As a JSON array");
    verb->callback([options, &session] {
        const auto domains = hypervisor::Domains::standard();
        const auto domain = domains.find(options->name);
        const auto guest = domains.configuration(domain.name);
        if (options->json || session.output == OutputMode::json)
            print_json(guest);
        else
            print_table(guest, domain.id);
    });
}

}  // namespace vprov::cli
