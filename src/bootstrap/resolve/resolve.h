// Which packages, in which versions: apt's own answer for an empty system. Pure.
#pragma once

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

// Sorted by name. Borrows from the PackageIndex it was resolved from.
struct PackageSet {
    std::vector<Selected> packages;
    Bytes download_size() const;
    Bytes installed_size() const;
};

// Throws Error(packages) saying what cannot be had, wanted by what, in a chain a person can follow:
//   "cannot satisfy 'foo (>= 2)': only 1.4 is available; wanted by bar, wanted by the recipe"
PackageSet resolve(const deb::PackageIndex& index, const Request& request);

}  // namespace vprov::resolve
