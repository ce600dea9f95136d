#include "config-render/suite.h"

#include <algorithm>
#include <array>

namespace vprov::render {

bool is_before_trixie(std::string_view suite) {
    static constexpr std::array<std::string_view, 5> kOld = {"jessie", "stretch", "buster", "bullseye", "bookworm"};
    return std::ranges::any_of(kOld, [&](std::string_view old) {
        return suite == old || (suite.starts_with(old) && suite[old.size()] == '-');
    });
}

}  // namespace vprov::render
