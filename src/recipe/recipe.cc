#include "recipe/recipe.h"

#include "os/fd.h"
#include "recipe/forms.h"
#include "recipe/override.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

void check_recipe(const Recipe& recipe, const Node& root, Findings& findings) {
    check_disks(recipe.disks, root.find("disk"), findings);
    check_networks(recipe.networks, root.find("network"), findings);
    check_hooks(recipe.hooks, root.find("hook"), findings);
    check_files(recipe.files, root.find("file"), findings);
    const auto* identity = root.find("identity");
    const auto* name = root.find("name");
    if (!name || !flaw_of_guest_name(recipe.name).empty() || (identity && identity->find("hostname")))
        return;
    if (const auto flaw = flaw_of_hostname(recipe.name); !flaw.empty())
        findings.refuse(*name, "host name", "it is none; give one with [identity] hostname");
}

Keys<Recipe> recipe_keys() {
    return {"",
            {key("name", &Recipe::name, word(flaw_of_guest_name)), key("seed", &Recipe::seed, word(flaw_of_line)),
             table("system", &Recipe::system, system_keys()), table("identity", &Recipe::identity, identity_keys()),
             tables("disk", &Recipe::disks, disk_keys()), tables("network", &Recipe::networks, network_keys()),
             tables("directory", &Recipe::directories, directory_keys()), tables("file", &Recipe::files, file_keys()),
             tables("hook", &Recipe::hooks, hook_keys()), table("domain", &Recipe::domain, domain_keys())},
            {"extends"},
            {"name"},
            check_recipe};
}

}  // namespace

Recipe parse(std::string_view text, const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    Findings findings(file.string(), overrides);
    Recipe recipe;
    recipe.file = file;
    try {
        auto root = parse_document(text);
        for (std::size_t i = 0; i < overrides.size(); ++i)
            apply_override(root, overrides[i], static_cast<std::uint32_t>(i + 1), findings);
        recipe_keys().read(recipe, root, findings);
    } catch (const SyntaxError& e) {
        findings.add(e.place, fmt::format("cannot read TOML: {}", e.cause));
    }
    findings.raise_if_any();
    return recipe;
}

Recipe read(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    return parse(os::read_file(file, ErrorKind::recipe), file, overrides);
}

std::filesystem::path host_path(const Recipe& recipe, const std::filesystem::path& path) {
    return std::filesystem::absolute(recipe.file.parent_path() / path).lexically_normal();
}

std::vector<std::string> known_keys() {
    return recipe_keys().paths();
}

}  // namespace vprov::recipe
