#include "bootstrap/deb/architectures.h"

#include <algorithm>

namespace vprov::deb {

Architectures::Architectures(std::string native, const std::vector<std::string>& foreign) : names_{std::move(native)} {
    for (const auto& name : foreign)
        if (std::find(names_.begin(), names_.end(), name) == names_.end())
            names_.push_back(name);
}

std::string Architectures::full_name(std::string_view name, std::string_view architecture) const {
    std::string text(name);
    if (architecture != "all" && architecture != native())
        text.append(":").append(architecture);
    return text;
}

}  // namespace vprov::deb
