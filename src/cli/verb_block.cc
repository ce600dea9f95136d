#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/devices/disks.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

namespace vprov::cli {
namespace {

// The columns of `xl block-list`. There are no rings and event channels here, and the backend's path is the file's.
void print_table(const std::vector<hypervisor::GuestDisk>& disks) {
    constexpr int kConnected = 4, kNone = -1;
    fmt::print("{:<5} {:<3} {:<6} {:<5} {:<6} {:<8} {:<30}\n", "Vdev", "BE", "handle", "state", "evt-ch", "ring-ref",
               "BE-path");
    for (const auto& disk : disks) {
        const auto number = hypervisor::vdev_number(disk.vdev);
        fmt::print("{:<5} {:<3} {:<6} {:<5} {:<6} {:<8} {}\n", number, 0, number, kConnected, kNone, kNone,
                   disk.target);
    }
}

void print_json(const std::vector<hypervisor::GuestDisk>& disks) {
    auto array = nlohmann::json::array();
    for (const auto& disk : disks)
        array.push_back({{"vdev", disk.vdev},
                         {"target", disk.target},
                         {"format", hypervisor::name_in(hypervisor::kFormatNames, disk.format)},
                         {"access", disk.writable ? "rw" : "ro"},
                         {"cdrom", disk.cdrom}});
    fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_block_attach(CLI::App& app, Session&) {
    struct Options {
        std::string name;
        std::vector<std::string> specification;
    };
    auto* verb = app.add_subcommand("block-attach", "Plug a disk into a running domain");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("DISK", options->specification, "As in xl-disk-configuration(5): vdev=xvdb,target=FILE")
        ->required();
    verb->callback([options] {
        auto disk = hypervisor::parse_disk_spec(joined(options->specification, ","));
        hypervisor::attach_disk(hypervisor::Domains::standard(), options->name, std::move(disk));
    });
}

void add_block_detach(CLI::App& app, Session&) {
    struct Options {
        std::string name, vdev;
    };
    auto* verb = app.add_subcommand("block-detach", "Unplug a disk from a running domain");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("VDEV", options->vdev, "The disk's name in the guest (xvdb), or its number")->required();
    verb->callback(
        [options] { hypervisor::detach_disk(hypervisor::Domains::standard(), options->name, options->vdev); });
}

void add_block_list(CLI::App& app, Session& session) {
    struct Options {
        std::string name;
        bool json = false;
    };
    auto* verb = app.add_subcommand("block-list", "List a running domain's disks");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_flag("--json", options->json, "As a JSON array");
    verb->callback([options, &session] {
        const auto guest = hypervisor::Domains::standard().configuration(options->name);
        options->json || session.output == OutputMode::json ? print_json(guest.disks) : print_table(guest.disks);
    });
}

}  // namespace vprov::cli
