#include <fmt/format.h>

#include "cli/verbs.h"

namespace vprov::cli {
namespace {

// What bash's completion asks for: the words that may follow. Options come from the same declarations as --help.
void print_words(const CLI::App& app) {
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) fmt::print("--{}\n", name);
        for (const auto& name : option->get_snames()) fmt::print("-{}\n", name);
    }
    for (const auto* verb : app.get_subcommands({}))
        if (!verb->get_group().empty())
            fmt::print("{}\n", verb->get_name());
}

}  // namespace

void add_completion(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("complete", "List options and verbs, for shell completion")->group("");
    auto of = std::make_shared<std::string>();
    verb->add_option("VERB", *of);
    verb->callback([&app, of] {
        const auto* target = of->empty() ? nullptr : app.get_subcommand_no_throw(*of);
        print_words(target ? *target : app);
    });
}

}  // namespace vprov::cli
