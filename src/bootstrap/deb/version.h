// Debian version numbers (deb-version(7), Debian Policy 5.6.12). Pure.
#pragma once

#include <compare>
#include <string_view>

namespace vprov::deb {

// [epoch:]upstream[-revision]; views borrow from the text.
struct VersionParts {
    std::string_view epoch;  // "" stands for 0
    std::string_view upstream;
    std::string_view revision;  // "" stands for 0
};
VersionParts version_parts(std::string_view version);

// Whether the text may stand in a Version field: an epoch of digits that fits in 31 bits, letters, digits and .+-~:
// only, and an upstream part. That it begins with a digit is asked of new packages only; old ones in archives do not.
bool is_version(std::string_view text);

// The order of dpkg and apt. Never throws: text that is no version is compared character by character all the same.
std::strong_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace vprov::deb
