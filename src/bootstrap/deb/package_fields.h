// The fields of a Packages stanza that are kept as they stand there. Pure.
#pragma once

#include <array>
#include <string_view>

#include "bootstrap/deb/package_index.h"

namespace vprov::deb {

struct TextField {
    std::string_view name;
    std::string_view Package::*member;
};

inline constexpr std::array kTextFields = {
    TextField{"Package", &Package::name},
    TextField{"Version", &Package::version},
    TextField{"Architecture", &Package::architecture},
    TextField{"Multi-Arch", &Package::multi_arch},
    TextField{"Priority", &Package::priority},
    TextField{"Section", &Package::section},
    TextField{"Source", &Package::source},
    TextField{"Pre-Depends", &Package::pre_depends},
    TextField{"Depends", &Package::depends},
    TextField{"Recommends", &Package::recommends},
    TextField{"Suggests", &Package::suggests},
    TextField{"Enhances", &Package::enhances},
    TextField{"Conflicts", &Package::conflicts},
    TextField{"Breaks", &Package::breaks},
    TextField{"Replaces", &Package::replaces},
    TextField{"Provides", &Package::provides},
    TextField{"Filename", &Package::filename},
};

// What an index keeps of a package's text: those, and the digest that stands in for a SHA-256.
inline constexpr auto kKeptTexts = [] {
    std::array<std::string_view Package::*, kTextFields.size() + 1> members{};
    for (std::size_t i = 0; i < kTextFields.size(); ++i) members[i] = kTextFields[i].member;
    members.back() = &Package::weak_digest;
    return members;
}();

}  // namespace vprov::deb
