// A host that tests make up, and what make_plan() says about a recipe there.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "recipe/recipe.h"

namespace vprov::plan {

inline constexpr const char* kDebianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
inline constexpr const char* kRemovedKeyring = "/usr/share/keyrings/debian-archive-removed-keys.gpg";
inline constexpr const char* kUbuntuKeyring = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";

// An amd64 host without apt sources, with both distributions' keyrings and the files in `more`.
inline HostFacts plain_facts(std::vector<std::filesystem::path> more = {}) {
    HostFacts facts;
    facts.now = 1700000000;
    facts.architecture = "amd64";
    facts.default_mirror = "http://default.example.org/debian";
    facts.default_security_mirror = "http://default.example.org/debian-security";
    more.emplace_back(kDebianKeyring);
    more.emplace_back(kUbuntuKeyring);
    facts.file_exists = [files = std::move(more)](const std::filesystem::path& path) {
        return std::find(files.begin(), files.end(), path) != files.end();
    };
    facts.read_file = [](const std::filesystem::path& path) -> std::string {
        throw error(ErrorKind::recipe, "cannot open {}", path.native());
    };
    return facts;
}

// The recipe `name = "g1"` with a root disk, and `more` in TOML after it; its file is /r/g1.toml.
inline recipe::Recipe recipe_with(const std::string& more = {}) {
    return recipe::parse("name = \"g1\"\n[[disk]]\nsize = \"1G\"\nfilesystem = \"ext4\"\nmount = \"/\"\n" + more,
                         "/r/g1.toml");
}

inline Plan plan_of(const std::string& more, const HostFacts& facts = plain_facts()) {
    return make_plan(recipe_with(more), facts, {"/out", "/cache"});
}

inline std::string plan_error(const std::string& more, const HostFacts& facts = plain_facts()) {
    try {
        plan_of(more, facts);
    } catch (const Error& e) {
        return e.kind() == ErrorKind::recipe ? e.message() : "another kind of error: " + e.message();
    }
    return "none";
}

}  // namespace vprov::plan
