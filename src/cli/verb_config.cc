#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "hypervisor/guest/configuration.h"
#include "hypervisor/guest/qemu_argv.h"
#include "os/fd.h"

namespace vprov::cli {
namespace {

struct ConfigOptions : RecipeOptions {
    std::string format = "xl";
};

hypervisor::Guest guest_in(const std::string& file, const ConfigOptions& options, std::vector<std::string>& warnings) {
    if (std::filesystem::path(file).extension() == ".toml")
        return plan::guest_of(plan_recipe(options, file));
    auto read = hypervisor::read_xl_cfg(os::read_file(file, ErrorKind::hypervisor), file);
    warnings = std::move(read.warnings);
    return hypervisor::without_secrets(std::move(read.guest));
}

std::string text_of(const hypervisor::Guest& guest, const std::string& format, std::vector<std::string>& warnings) {
    using hypervisor::Format;
    if (format == "qemu")
        return shell_line(hypervisor::qemu_argv(guest, {})) + "\n";
    const std::map<std::string, Format> formats = {{"xl", Format::xl},
                                                   {"xm", Format::xm},
                                                   {"libvirt", Format::libvirt_xen},
                                                   {"libvirt-xen", Format::libvirt_xen},
                                                   {"libvirt-kvm", Format::libvirt_kvm},
                                                   {"libvirt-qemu", Format::libvirt_qemu}};
    auto written = hypervisor::configuration_of(guest, formats.at(format));
    for (auto& lost : written.lost) warnings.push_back(std::move(lost));
    return written.text;
}

void run_config(const ConfigOptions& options, const Session& session) {
    for (const auto& file : options.recipes) {
        std::vector<std::string> warnings;
        const auto text = text_of(guest_in(file, options, warnings), options.format, warnings);
        std::fputs(text.c_str(), stdout);
        const auto progress = make_progress(session);
        for (const auto& warning : warnings) progress->warning(warning);
    }
}

}  // namespace

void add_config(CLI::App& app, Session& session) {
    auto* verb =
        app.add_subcommand("config", "Print the domain configuration of a recipe, or of another configuration");
    auto options = std::make_shared<ConfigOptions>();
    options->host_files = plan::HostFiles::not_wanted;
    verb->add_option("FILE", options->recipes, "Recipes (NAME.toml), or configurations of xl or xm")->required();
    verb->add_option("-s,--set", options->overrides, "Override a key of the recipe: domain.memory=1G")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    verb->add_option("-o,--output", options->output, "Where the images are taken to be, in DIR/NAME (out)")
        ->type_name("DIR");
    verb->add_option("-f,--format", options->format,
                     "xl (the default), xm, libvirt, libvirt-kvm, libvirt-qemu, or qemu for a command line")
        ->check(CLI::IsMember({"xl", "xm", "libvirt", "libvirt-xen", "libvirt-kvm", "libvirt-qemu", "qemu"}))
        ->type_name("FORMAT");
    verb->footer(
        "Nothing is fetched, and nothing that the recipe names needs to be there. VNC's password is left out.");
    verb->callback([options, &session] { run_config(*options, session); });
}

}  // namespace vprov::cli
