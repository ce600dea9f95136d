#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/engine.h"
#include "cli/verbs.h"
#include "os/command.h"
#include "pipeline/built_guest.h"
#include "pipeline/guest_removal.h"
#include "pipeline/guest_resize.h"
#include "pipeline/output_directory.h"

namespace vprov::cli {
namespace {
using pipeline::BuiltGuest;

struct ImageOptions {
    std::string action, output = "out";
    std::vector<std::string> names;
    bool force = false;
};

void refuse_running(std::string_view verb, const std::string& name) {
    if (runs_here(name))
        throw error(ErrorKind::hypervisor, "cannot {} {}: it is running; end it with 'vprov shutdown {}'", verb,
                    quote(name), name);
}

std::filesystem::path directory(const ImageOptions& options) {
    return std::filesystem::absolute(options.output).lexically_normal();
}

Bytes total(const BuiltGuest& guest, Bytes pipeline::BuiltDisk::*member) {
    Bytes sum;
    for (const auto& disk : guest.disks) sum += disk.*member;
    return sum;
}

void print_guests(const std::vector<BuiltGuest>& guests) {
    fmt::print("{:<24} {:>6} {:>5} {:>9} {:>9}  {:<8} {}\n", "Name", "Memory", "VCPUs", "Disks", "On host", "State",
               "Addresses");
    for (const auto& guest : guests)
        fmt::print("{:<24} {:>5}M {:>5} {:>9} {:>9}  {:<8} {}\n", guest.name, guest.memory_mib, guest.vcpus,
                   human(total(guest, &pipeline::BuiltDisk::size)),
                   human(total(guest, &pipeline::BuiltDisk::allocated)), runs_here(guest.name) ? "running" : "-",
                   joined(guest.addresses, " "));
}

nlohmann::ordered_json as_json(const BuiltGuest& guest) {
    nlohmann::ordered_json json = {{"name", guest.name},
                                   {"directory", guest.directory.native()},
                                   {"configuration", guest.configuration.native()},
                                   {"memory_mib", guest.memory_mib},
                                   {"vcpus", guest.vcpus},
                                   {"running", runs_here(guest.name)},
                                   {"addresses", guest.addresses},
                                   {"macs", guest.macs},
                                   {"volumes", guest.volumes}};
    json["disks"] = nlohmann::ordered_json::array();
    for (const auto& disk : guest.disks)
        json["disks"].push_back({{"image", disk.image},
                                 {"format", disk.format},
                                 {"filesystem", disk.filesystem},
                                 {"mount", disk.mount},
                                 {"backing", disk.backing},
                                 {"size", disk.size.value},
                                 {"allocated", disk.allocated.value}});
    return json;
}

void list(const ImageOptions& options, const Session& session) {
    std::vector<BuiltGuest> guests;
    for (const auto& name : options.names) guests.push_back(pipeline::built_guest(directory(options), name));
    if (options.names.empty())
        guests = pipeline::built_guests(directory(options));
    if (session.output != OutputMode::json)
        return print_guests(guests);
    auto array = nlohmann::ordered_json::array();
    for (const auto& guest : guests) array.push_back(as_json(guest));
    fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void remove(const ImageOptions& options, const Session& session) {
    std::vector<BuiltGuest> guests;  // all are looked at before the first goes
    for (const auto& name : options.names) {
        refuse_running("delete", name);
        guests.push_back(pipeline::built_guest(directory(options), name));
    }
    os::SystemCommandRunner runner;
    for (const auto& guest : guests) {
        const auto others = pipeline::remove_guest(guest, runner);
        if (session.output == OutputMode::quiet)
            continue;
        fmt::print("{} is deleted\n", guest.name);
        for (const auto& file : others)
            fmt::print("  left, for no build made it: {}\n", (guest.directory / file).native());
    }
}

void resize(const ImageOptions& options, const Session& session) {
    if (options.names.size() != 3)
        throw error(ErrorKind::usage, "cannot resize: NAME, DISK and SIZE are wanted, as in 'debian1 root 4G'");
    const auto &name = options.names[0], &disk = options.names[1];
    const auto size = parse_bytes(options.names[2]);
    if (!size)
        throw error(ErrorKind::usage, "cannot resize to {}: a size is wanted, as in 4G", quote(options.names[2]));
    refuse_running("resize", name);
    os::SystemCommandRunner runner;
    pipeline::resize_disk(pipeline::built_guest(directory(options), name), disk, *size,
                          options.force ? pipeline::Shrinking::allowed : pipeline::Shrinking::refused, runner);
    if (session.output != OutputMode::quiet)
        fmt::print("{} of {} has {} now\n", disk, name, exact(*size));
}

}  // namespace

void add_image(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("image", "List, delete or resize what builds have left");
    auto options = std::make_shared<ImageOptions>();
    verb->add_option("ACTION", options->action, "list, delete or resize")
        ->required()
        ->check(CLI::IsMember({"list", "delete", "resize"}));
    verb->add_option("ARGUMENT", options->names, "list [NAME...], delete NAME..., resize NAME DISK SIZE");
    verb->add_option("-o,--output", options->output, "Where guests are (out)")->type_name("DIR");
    verb->add_flag("-f,--force", options->force, "resize: shrink, if the content leaves room");
    verb->callback([options, &session] {
        if (options->force && options->action != "resize")
            throw error(ErrorKind::usage, "cannot {} with --force: it is for resize", options->action);
        pipeline::tidy(directory(*options));
        if (options->action == "list")
            return list(*options, session);
        if (options->action == "resize")
            return resize(*options, session);
        if (options->names.empty())
            throw error(ErrorKind::usage, "cannot delete: which guest?");
        remove(*options, session);
    });
}

}  // namespace vprov::cli
