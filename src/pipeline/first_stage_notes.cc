#include "pipeline/first_stage_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "bootstrap/configure/install_order.h"
#include "os/temp_dir.h"
#include "pipeline/deb_folder.h"

namespace vprov::pipeline {

RequiredAndBase required_and_base(const resolve::PackageSet& packages, const deb::Architectures& architectures) {
    std::vector<const deb::Package*> all;
    for (const auto& selected : packages.packages) all.push_back(selected.package);
    const auto needs = configure::direct_needs(all);
    std::vector<const deb::Package*> open;
    std::ranges::copy_if(all, std::back_inserter(open),
                         [](const auto* package) { return package->essential || package->priority == "required"; });
    std::set<const deb::Package*> required(open.begin(), open.end());
    while (!open.empty()) {
        const auto* package = open.back();
        open.pop_back();
        for (const auto* needed : needs.at(package).before_configuring)
            if (required.insert(needed).second)
                open.push_back(needed);
    }
    RequiredAndBase names;
    for (const auto* package : all)
        (required.contains(package) ? names.required : names.base)
            .push_back(architectures.full_name(package->name, package->architecture));
    return names;
}

void write_first_stage_notes(const std::filesystem::path& folder, const FirstStageNotes& notes,
                             const resolve::PackageSet& packages) {
    std::filesystem::create_directories(folder);
    const auto note = [&](std::string_view name, std::string_view text) {
        if (!text.empty())
            os::write_file(folder / name, fmt::format("{}\n", text));
    };
    const deb::Architectures native = notes.architecture;
    const auto full_name = [&](const deb::Package& package) {
        return native.full_name(package.name, package.architecture);
    };
    const auto names = required_and_base(packages, native);
    note("arch", notes.architecture);
    note("suite", notes.suite);
    note("mirror", notes.mirror);
    note("variant", notes.variant);
    note("extra-suites", joined(notes.extra_suites, " "));
    note("required", joined(names.required, " "));
    os::write_file(folder / "base", joined(names.base, " ") + "\n");  // read even when it is empty
    std::vector<std::string> automatic;
    for (const auto& selected : packages.packages)
        if (selected.automatic)
            automatic.push_back(full_name(*selected.package));
    note("automatic", joined(automatic, " "));
    std::string paths;
    for (const auto& selected : packages.packages)
        paths +=
            fmt::format("{} /var/cache/apt/archives/{}\n", full_name(*selected.package), deb_name(*selected.package));
    os::write_file(folder / "debpaths", paths);
}

}  // namespace vprov::pipeline
