#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "config-render/guest_files.h"
#include "hypervisor/guest/guest.h"
#include "partition/device/device_content.h"
#include "pipeline/base_image.h"
#include "pipeline/clonability.h"
#include "pipeline/configurations.h"
#include "pipeline/disks_json.h"
#include "pipeline/guest_name.h"
#include "pipeline/guest_tree.h"
#include "plan/describe.h"

namespace vprov::cli {
namespace {

void print_packages(const resolve::PackageSet& set, const deb::Architectures& native) {
    fmt::print("\nPackages: {}, {} to download, {} installed\n", set.packages.size(), human(set.download_size()),
               human(set.installed_size()));
    for (const auto& selected : set.packages)
        fmt::print("  {:<36} {:<32} {:>9}{}\n",
                   native.full_name(selected.package->name, selected.package->architecture), selected.package->version,
                   human(selected.package->size), selected.automatic ? "" : "  *");
    fmt::print("  (* asked for; the others are needed by them)\n");
}

std::string shown_content(const render::GuestFile& file) {
    if (file.secret)
        return "(secret)";
    return file.is_program ? fmt::format("(a program of {} KiB)", file.content.size() >> 10) : file.content;
}

void print_file(std::string_view path, std::string_view content) {
    fmt::print("\n  {}\n", path);
    while (!content.empty() && content.back() == '\n') content.remove_suffix(1);
    if (content.empty())
        return;
    for (const auto line : split(content, '\n')) fmt::print("    | {}\n", line);
}

std::vector<render::GuestFile> guest_files(const plan::Plan& plan, const resolve::PackageSet& set) {
    render::PackageNames names;
    for (const auto& selected : set.packages) names.emplace(selected.package->name);
    auto files = render::early_guest_files(plan);
    for (auto& file : render::late_guest_files(plan, names)) files.push_back(std::move(file));
    return files;
}

void print_layer_state(const pipeline::LayerState& layer) {
    if (layer.reused)
        fmt::print("\nConfigured layer {:.12}: reused, no script runs\n", layer.digest);
    else
        fmt::print("\nConfigured layer {:.12}: to be made; {}\n", layer.digest, layer.why_not);
}

// How the guest's images come to be.
struct Images {
    std::string not_cloned;  // why each is written from the layer; "" : they are copies of a base
    std::string base;        // its digest
    bool reused = false;
};

Images images_of(const plan::Plan& plan, const pipeline::LayerState& layer, pipeline::LayerUse use) {
    if (auto cause = pipeline::why_not_cloned(plan); !cause.empty())
        return {std::move(cause), "", false};
    if (use != pipeline::LayerUse::reuse)
        return {"no layers are used", "", false};
    const archive::Cache cache(plan.cache.empty() ? archive::Cache::default_directory() : plan.cache);
    const pipeline::BaseImages bases(cache);
    const auto inputs = pipeline::base_inputs(plan, layer.digest);
    return {"", bases.place_of(inputs).filename(), bases.exists(inputs)};
}

struct Layer {
    pipeline::LayerState state;
    std::string named_for;  // why no other guest has a use for it; "" : all have
    Images images;
};

Layer layer_of(const plan::Plan& plan, const resolve::PackageSet& packages, const pipeline::Environment& environment) {
    const auto unnamed = pipeline::guest_request(plan, pipeline::kUnnamedGuest);
    auto state = pipeline::layer_state(pipeline::guest_request(plan, packages), packages, environment);
    auto images = images_of(plan, state, environment.layers);
    return {std::move(state), pipeline::what_needs_name(unnamed, packages), std::move(images)};
}

void print_images(const Images& images) {
    if (!images.not_cloned.empty())
        fmt::print("Images: written from the configured layer; no copies of a base, for {}\n", images.not_cloned);
    else
        fmt::print("Images: copies of base {:.12}, {}, with the guest's identity written into them\n", images.base,
                   images.reused ? "which is there" : "to be made");
}

void print_layer(const Layer& layer) {
    print_layer_state(layer.state);
    if (!layer.named_for.empty())
        fmt::print("  for this host name only: {} depends on it\n", layer.named_for);
    print_images(layer.images);
}

// Without VNC's password, which is looked for while building only.
void print_configurations(const plan::Plan& plan) {
    fmt::print("\nFiles in {}\n", plan.output.native());
    const auto guest = plan::guest_of(plan);
    for (const auto format : pipeline::configuration_formats(plan))
        print_file(hypervisor::configuration_name(guest, format), hypervisor::configuration_of(guest, format).text);
}

// What stands on or against the devices that would be written.
void print_devices(const plan::Plan& plan) {
    for (const auto& disk : plan.layout.disks) {
        if (disk.device.empty() || !std::filesystem::exists(disk.device))
            continue;
        try {
            for (const auto& use : partition::uses_of(disk.device)) fmt::print("\n{} is in use: {}", disk.device, use);
            for (const auto& content : partition::contents_of(disk.device))
                fmt::print("\n{} holds: {}", disk.device, content);
            fmt::print("\n");
        } catch (const Error& e) {  // a plan needs no rights on the device
            fmt::print("\n{}\n", e.message());
        }
    }
}

void print_plan(const plan::Plan& plan, const resolve::PackageSet& set, const Layer& layer) {
    fmt::print("{}", plan::describe(plan));
    print_devices(plan);
    print_packages(set, plan.architecture);
    print_layer(layer);
    fmt::print("\nFiles in the guest\n");
    for (const auto& file : guest_files(plan, set)) {
        if (file.is_link)
            fmt::print("\n  {} -> {}\n", file.path, file.content);
        else
            print_file(file.path, shown_content(file));
    }
    print_configurations(plan);
}

void add_configuration(nlohmann::ordered_json& event, const plan::Plan& plan) {
    const auto format = pipeline::configuration_formats(plan).front();
    event["configuration"] = hypervisor::configuration_of(plan::guest_of(plan), format).text;
}

// Of a guest in which nothing is installed.
void show_description(const plan::Plan& plan, const Session& session) {
    if (session.output != OutputMode::json) {
        fmt::print("{}", plan::describe(plan));
        print_devices(plan);
        return print_configurations(plan);
    }
    nlohmann::ordered_json event = {{"event", "plan"}, {"name", plan.name}, {"output", plan.output.native()}};
    add_configuration(event, plan);
    fmt::print("{}\n", event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

// One event; vprov(1), JSON EVENTS.
void print_event(const plan::Plan& plan, const resolve::PackageSet& set, const Layer& layer) {
    nlohmann::ordered_json event = {{"event", "plan"},
                                    {"name", plan.name},
                                    {"output", plan.output.native()},
                                    {"download_size", set.download_size().value},
                                    {"installed_size", set.installed_size().value}};
    for (const auto& selected : set.packages)
        event["packages"].push_back({{"name", selected.package->name},
                                     {"version", selected.package->version},
                                     {"architecture", selected.package->architecture},
                                     {"size", selected.package->size.value},
                                     {"automatic", selected.automatic}});
    event["layer"] = {{"digest", layer.state.digest},
                      {"reused", layer.state.reused},
                      {"reason", layer.state.why_not},
                      {"named_for", layer.named_for}};
    event["images"] = {
        {"base", layer.images.base}, {"reused", layer.images.reused}, {"not_cloned", layer.images.not_cloned}};
    event["disks"] = pipeline::disks_json(plan.layout);
    for (const auto& file : guest_files(plan, set))
        event["files"].push_back(
            {{"path", file.path},
             {file.is_link ? "target" : "content", file.secret || file.is_program ? "" : file.content}});
    add_configuration(event, plan);
    fmt::print("{}\n", event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void add_plan(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("plan", "Print what a build would do, and do nothing");
    auto options = std::make_shared<RecipeOptions>();
    options->host_files = plan::HostFiles::not_wanted;
    add_recipe_options(*verb, *options);
    add_dialect_option(*verb, *options);
    verb->footer("The package lists are fetched and verified, into the cache. Nothing else is written.");
    verb->callback([options, &session] {
        const auto progress = make_progress(session);
        os::SystemCommandRunner runner;
        std::vector<plan::Plan> plans;
        for (const auto& recipe : options->recipes)
            for (auto& plan : plan_guests(*options, recipe, pipeline::PoolUse::look).plans)
                plans.push_back(std::move(plan));
        for (const auto& plan : plans) {
            if (recipe::installs_nothing(plan.recipe)) {
                show_description(plan, session);
                continue;
            }
            const auto transport = make_transport(*options, plan);
            pipeline::StageTimer timer(*progress);
            const pipeline::Environment environment{*transport, runner, *progress, std::time(nullptr), options->layers};
            const auto selection = pipeline::select_packages(pipeline::bootstrap_request(plan), environment, timer);
            const auto layer = layer_of(plan, selection.packages, environment);
            if (session.output == OutputMode::json)
                print_event(plan, selection.packages, layer);
            else
                print_plan(plan, selection.packages, layer);
        }
    });
}

}  // namespace vprov::cli
