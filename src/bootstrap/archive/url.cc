#include "bootstrap/archive/url.h"

#include <fmt/format.h>

namespace vprov::archive {
namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~' || c == '/';
}

}  // namespace

std::string_view without_trailing_slashes(std::string_view uri) {
    while (uri.ends_with('/')) uri.remove_suffix(1);
    return uri;
}

std::string url_of(std::string_view uri, std::string_view path) {
    std::string url(without_trailing_slashes(uri));
    url += '/';
    while (path.starts_with("./") || path.starts_with("/")) path.remove_prefix(path[0] == '/' ? 1 : 2);
    for (const char c : path)
        if (is_plain(c))
            url += c;
        else
            url += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    return url;
}

std::string shown_url(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos)
        return std::string(url);
    const auto start = scheme + 3;
    const auto authority = url.substr(start, url.find('/', start) - start);
    const auto at = authority.rfind('@');
    if (at == std::string_view::npos)
        return std::string(url);
    const auto user = authority.substr(0, authority.substr(0, at).find(':'));
    return fmt::format("{}{}{}", url.substr(0, start), user.substr(0, at), url.substr(start + at));
}

}  // namespace vprov::archive
