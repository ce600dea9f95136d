#include "cli/bootstrap_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "plan/sources_file.h"
#include "plan/suites.h"
#include "recipe/recipe.h"

namespace vprov::cli {
namespace {

constexpr const char* kNoKernel =
    "[system.kernel]\npackage = ''\n[[disk]]\nsize = '1G'\nfilesystem = 'ext4'\nmount = '/'\n";

std::string toml_string(std::string_view text) {
    if (text.find_first_of("'\n") != std::string_view::npos)
        throw error(ErrorKind::usage, "cannot use {}: quotes and newlines have no place here", quote(text));
    return fmt::format("'{}'", text);
}

std::string toml_list(const std::vector<std::string>& words) {
    std::string list;
    for (const auto& word : words) list += toml_string(word) + ", ";
    return "[" + list + "]";
}

// Of a suite that both know not, the mirror tells: Ubuntu's are .../ubuntu and .../ubuntu-ports.
std::string_view distribution_of(const BootstrapCommand& command) {
    const bool is_ubuntu = plan::is_official("ubuntu", command.suite) ||
                           (!plan::is_official("debian", command.suite) &&
                            (command.mirror.ends_with("/ubuntu") || command.mirror.ends_with("/ubuntu/") ||
                             command.mirror.find("/ubuntu-ports") != std::string::npos));
    return is_ubuntu ? "ubuntu" : "debian";
}

// mmdebstrap takes a line or a file of apt sources in the mirror's place.
bool names_sources(std::string_view mirror) {
    return plan::is_source_line(mirror) || (!mirror.empty() && mirror.find(":/") == std::string_view::npos &&
                                            (mirror.ends_with(".sources") || mirror.ends_with(".list")));
}

std::string recipe_text(const BootstrapCommand& c) {
    std::string text = "name = 'tree'\n[system]\n";
    text += fmt::format("distribution = '{}'\nsuite = {}\nvariant = {}\n", distribution_of(c), toml_string(c.suite),
                        toml_string(c.variant == "-" || c.variant.empty() ? "standard" : c.variant));
    for (const auto& [key, value] : {std::pair{"arch", c.arch}, {"keyring", c.keyring}})
        if (!value.empty())
            text += fmt::format("{} = {}\n", key, toml_string(value));
    for (const auto& [key, list] : {std::pair{"foreign_architectures", &c.foreign_architectures},
                                    {"include", &c.include},
                                    {"exclude", &c.exclude},
                                    {"components", &c.components}})
        if (!list->empty())
            text += fmt::format("{} = {}\n", key, toml_list(*list));
    if (names_sources(c.mirror))
        return text + fmt::format("sources = [{}]\n", toml_string(c.mirror)) + kNoKernel;
    if (!c.mirror.empty())
        text += fmt::format("mirror = {}\n", toml_string(c.mirror));
    if (!c.updates)
        text += "updates = false\nsecurity = false\n";
    return text + kNoKernel;
}

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// As debootstrap does, for the apt of the tree.
void add_what_https_needs(const std::string& suite, std::vector<std::string>& include) {
    constexpr std::array<std::string_view, 5> kOldApt = {"lenny", "squeeze", "wheezy", "jessie", "stretch"};
    include.emplace_back("ca-certificates");
    if (is_in(kOldApt, suite))
        include.emplace_back("apt-transport-https");
}

// Codenames only: what "stable" and "oldstable" are changes.
bool has_merged_usr(const BootstrapCommand& command) {
    if (command.merged_usr || command.called_as == CalledAs::vprov)
        return command.merged_usr.value_or(true);
    constexpr std::array<std::string_view, 3> kNever = {"wheezy", "jessie", "stretch"};
    constexpr std::array<std::string_view, 3> kNotForBuilds = {"buster", "bullseye", "bookworm"};
    return !is_in(kNever, command.suite) && !(command.variant == "buildd" && is_in(kNotForBuilds, command.suite));
}

}  // namespace

plan::Plan plan_tree(const BootstrapCommand& command, plan::HostFacts facts) {
    if (command.signature_check == SignatureCheck::off)
        facts.file_exists = [](const std::filesystem::path&) { return true; };  // no keyring is looked into
    plan::Options planning;
    if (!command.cache_dir.empty())
        planning.cache = command.cache_dir;
    auto plan = plan::make_plan(recipe::parse(recipe_text(command), "the command line"), facts, planning);
    plan.include = plan.recipe.system.include;  // a tree does not have to boot
    if (command.called_as == CalledAs::debootstrap && command.mirror.starts_with("https:"))
        add_what_https_needs(command.suite, plan.include);
    auto place = plan.repositories.begin() + 1;
    for (const auto& suite : command.extra_suites) {
        auto extra = plan.repositories.front();
        extra.suite = suite;
        place = plan.repositories.insert(place, extra) + 1;
    }
    for (auto& repository : plan.repositories) {
        repository.check_valid_until = repository.check_valid_until && command.valid_until;
        repository.allow_weak_digests = repository.allow_weak_digests || command.allow_weak_digests;
        if (command.signature_check != SignatureCheck::off)
            continue;
        repository.trusted = true;
        repository.signed_by.clear();
        repository.embedded_key.clear();
    }
    return plan;
}

configure::UsrLayout usr_layout(const BootstrapCommand& command) {
    if (has_merged_usr(command))
        return configure::UsrLayout::merged;
    constexpr std::array<std::string_view, 6> kUnmarked = {"wheezy", "jessie",   "stretch",
                                                           "buster", "bullseye", "focal"};
    return is_in(kUnmarked, command.suite) ? configure::UsrLayout::split : configure::UsrLayout::split_for_good;
}

}  // namespace vprov::cli
