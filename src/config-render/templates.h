// The mustache templates of templates/, compiled in, and their rendering. Pure.
#pragma once

#include <kainjow/mustache.hpp>
#include <span>
#include <string>
#include <string_view>

namespace vprov::render {

struct Template {
    std::string_view name;  // "fstab" for templates/fstab.mustache
    std::string_view text;
};

// All of them; the definition is made by cmake/embed.cmake.
std::span<const Template> template_table();

// Nothing is escaped: the values go into configuration files, not into HTML. A name that is not in the table, or a
// template that does not parse, is an internal error.
std::string rendered(std::string_view name, const kainjow::mustache::data& values);

}  // namespace vprov::render
