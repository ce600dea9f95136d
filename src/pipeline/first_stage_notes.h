// What debootstrap keeps in /debootstrap of a tree between its stages: suite, architecture, package names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bootstrap/resolve/resolve.h"

namespace vprov::pipeline {

struct FirstStageNotes {
    std::string suite, architecture, mirror;
    std::string variant;  // "" for debootstrap's default
    std::vector<std::string> extra_suites;
};

// The packages that are installed first, and all others: what is of priority required or essential, with what it needs.
struct RequiredAndBase {
    std::vector<std::string> required, base;  // names, sorted; of foreign architectures "name:arch"
};
RequiredAndBase required_and_base(const resolve::PackageSet& packages, const deb::Architectures& architectures);

// Writes arch, suite, mirror, variant, extra-suites, required, base, and debpaths, which says where in the tree a
// package's .deb is, into `folder`, made when missing. Formats: debootstrap(8) 1.0.128; our own is automatic, the names
// that came in as dependencies only. Throws Error(disk).
void write_first_stage_notes(const std::filesystem::path& folder, const FirstStageNotes& notes,
                             const resolve::PackageSet& packages);

}  // namespace vprov::pipeline
