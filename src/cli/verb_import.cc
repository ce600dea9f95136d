#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "import/import.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::cli {
namespace {

struct ImportOptions {
    std::string file, output, from = "auto", name = "guest";
};

void run_import(const ImportOptions& options) {
    const auto text = os::read_file(options.file, ErrorKind::hypervisor);
    const std::map<std::string, imports::Source> sources = {
        {"xl", imports::Source::xl}, {"libvirt", imports::Source::libvirt}, {"xen-tools", imports::Source::xen_tools}};
    const auto known = sources.find(options.from);
    const auto source = known == sources.end() ? imports::source_of(text) : known->second;
    const auto imported = imports::import_text(text, options.file, source, options.name);
    if (options.output.empty())
        std::fputs(imported.recipe.c_str(), stdout);
    else
        os::write_file(options.output, imported.recipe);
    if (imported.lost.empty())
        return;
    std::fputs("Not carried over:\n", stderr);
    for (const auto& lost : imported.lost) std::fputs(fmt::format("  {}\n", lost).c_str(), stderr);
}

}  // namespace

void add_import(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("import", "Make a recipe of another tool's configuration");
    auto options = std::make_shared<ImportOptions>();
    verb->add_option("FILE", options->file, "A configuration of xl or xm, libvirt's XML, or xen-tools.conf")
        ->required();
    verb->add_option("-o,--output", options->output, "Write the recipe there (standard output)")->type_name("RECIPE");
    verb->add_option("--from", options->from, "What FILE is: xl, libvirt or xen-tools (by its content)")
        ->check(CLI::IsMember({"auto", "xl", "libvirt", "xen-tools"}))
        ->type_name("KIND");
    verb->add_option("--name", options->name, "The guest's name where FILE has none: xen-tools.conf (guest)")
        ->type_name("NAME");
    verb->footer("What a recipe cannot say is listed on standard error.");
    verb->callback([options] { run_import(*options); });
}

}  // namespace vprov::cli
