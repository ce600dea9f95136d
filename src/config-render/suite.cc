#include "config-render/suite.h"

#include <algorithm>
#include <array>

#include "plan/suites.h"

namespace vprov::render {

bool is_before_trixie(std::string_view suite) {
    static constexpr std::array<std::string_view, 10> kOld = {"jessie", "stretch", "buster", "bullseye", "bookworm",
                                                              "trusty", "xenial",  "bionic", "focal",    "jammy"};
    return std::ranges::any_of(kOld, [&](std::string_view old) {
        return suite == old || (suite.starts_with(old) && suite[old.size()] == '-');
    });
}

bool has_prioritized_subsystems(std::string_view suite) {
    return plan::has_systemd_resolved(suite);  // the package was split off in the first releases with systemd 251
}

}  // namespace vprov::render
