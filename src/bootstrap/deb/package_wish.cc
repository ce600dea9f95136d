#include "bootstrap/deb/package_wish.h"

#include <algorithm>

#include "bootstrap/deb/relation.h"

namespace vprov::deb {
namespace {

constexpr std::string_view kPattern = "*?[]";

bool is_made_of(std::string_view text, std::string_view extra) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extra.find(c) != std::string_view::npos || kPattern.find(c) != std::string_view::npos;
    });
}

}  // namespace

PackageWish read_package_wish(std::string_view text) {
    PackageWish wish;
    const auto mark = text.find_first_of("=/");
    auto name = text.substr(0, mark);
    if (mark != std::string_view::npos)
        (text[mark] == '=' ? wish.version : wish.release) = text.substr(mark + 1);
    else if (name.ends_with('-')) {
        wish.removal = true;
        name.remove_suffix(1);
    }
    const auto colon = name.find(':');
    wish.name = name.substr(0, colon);
    if (colon != std::string_view::npos)
        wish.architecture = name.substr(colon + 1);
    return wish;
}

std::string flaw_of_package_wish(std::string_view text) {
    const auto wish = read_package_wish(text);
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!is_package_name(wish.name) || wish.name.size() < 2 || wish.name.find('_') != std::string_view::npos ||
        std::any_of(wish.name.begin(), wish.name.end(), is_upper))
        return "a package's name is at least two lower-case letters, digits, '.', '+' or '-'";
    if (text.find(':') < text.find_first_of("=/") && !is_made_of(wish.architecture, "-"))
        return "an architecture is wanted after ':', as in 'libc6:i386'";
    const auto mark = text.find_first_of("=/");
    if (mark == std::string_view::npos)
        return {};
    if (text[mark] == '=' && !is_made_of(wish.version, ".+-~:"))
        return "a version is wanted after '=', as in 'nginx=1.22.1-9'";
    if (text[mark] == '/' && !is_made_of(wish.release, ".+-~_:/"))
        return "a suite is wanted after '/', as in 'nginx/bookworm-backports'";
    return {};
}

}  // namespace vprov::deb
