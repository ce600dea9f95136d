#include "cli/verbs.h"
#include "hypervisor/devices/disks.h"

namespace vprov::cli {

void add_cd_insert(CLI::App& app, Session&) {
    struct Options {
        std::string name, vdev, file;
    };
    auto* verb = app.add_subcommand("cd-insert", "Put another medium into a running domain's CD drive");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("VDEV", options->vdev, "The drive's name in the guest (hdc)")->required();
    verb->add_option("FILE", options->file, "An ISO image or a device")->required();
    verb->callback([options] {
        hypervisor::change_cd(hypervisor::Domains::standard(), options->name, options->vdev, options->file);
    });
}

void add_cd_eject(CLI::App& app, Session&) {
    struct Options {
        std::string name, vdev;
    };
    auto* verb = app.add_subcommand("cd-eject", "Take the medium out of a running domain's CD drive");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("VDEV", options->vdev, "The drive's name in the guest (hdc)")->required();
    verb->callback(
        [options] { hypervisor::change_cd(hypervisor::Domains::standard(), options->name, options->vdev, ""); });
}

}  // namespace vprov::cli
