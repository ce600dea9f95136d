// Which packages, in which versions: apt's own answer for an empty system. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::resolve {

enum class Variant { essential, minbase, buildd, standard };

struct Request {
    Variant variant = Variant::standard;
    std::vector<std::string> include;  // as deb::PackageWish; marked as installed by hand
    std::vector<std::string> exclude;  // must not be in the result, even if essential
    bool recommends = false;
};

struct Selected {
    const deb::Package* package = nullptr;
    bool automatic = false;  // came in as a dependency only (apt's "auto-installed" mark)
};

// Where apt would have given up: what else was done.
struct Deviation {
    std::string cause;                         // why apt's choice cannot be: what resolve() would have thrown
    std::vector<std::string> taken, left_out;  // names: against what apt had marked when it ran into that
};

// Sorted by name. Borrows from the PackageIndex it was resolved from.
struct PackageSet {
    std::vector<Selected> packages;
    std::optional<Deviation> deviation = std::nullopt;
    Bytes download_size() const;
    Bytes installed_size() const;
};

// By name, and then by architecture.
void sort(PackageSet& set);

// "NAME VERSION ARCHITECTURE SHA256" on a line each, in byte order: equal for equal sets, and for no others. A weaker
// digest stands where an archive has no SHA-256.
std::string canonical_text(const PackageSet& set);

// apt's set. Where apt finds none but there is one, a set that keeps to apt's preferences where it can, with what was
// done otherwise. Throws Error(packages) when there is none, saying what cannot be had, wanted by what, in a chain a
// person can follow:
//   "cannot satisfy 'foo (>= 2)': only 1.4 is available; wanted by bar, wanted by the recipe"
PackageSet resolve(const deb::PackageIndex& index, const Request& request);

}  // namespace vprov::resolve
