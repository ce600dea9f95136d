#include "recipe/forms.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "recipe/charset.h"

namespace vprov::recipe {

std::string flaw_of_guest_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || !is_alphanumeric(name.front()) || !is_made_of(name, "._+-"))
        return "a name is 1 to 63 letters, digits, '.', '_', '+' or '-', and starts with a letter or digit";
    return {};
}

std::string flaw_of_hostname(std::string_view label) {
    if (label.find('.') != std::string_view::npos)
        return "one name without dots is wanted; what follows the first dot goes into 'domain'";
    if (label.empty() || label.size() > 63 || !is_made_of(label, "-") || label.front() == '-' || label.back() == '-')
        return "a host name is 1 to 63 letters, digits or '-', with no '-' at its ends";
    return {};
}

std::string flaw_of_domain(std::string_view domain) {
    if (domain.size() > 189)  // with a host name and a dot it must fit in the 253 characters of a DNS name
        return "it is too long";
    for (const auto label : split(domain, '.'))
        if (!flaw_of_hostname(label).empty())
            return "a domain is host names with dots between them, as in 'example.org'";
    return {};
}

std::string flaw_of_timezone(std::string_view zone) {
    if (zone == "UTC")
        return {};
    const auto parts = split(zone, '/');
    bool good = parts.size() == 2 || parts.size() == 3;
    for (const auto part : parts) good = good && !part.empty() && !is_digit(part.front()) && is_made_of(part, "_+-");
    return good ? "" : "a time zone is 'UTC' or 'Area/City', as in 'Europe/Berlin'";
}

namespace {

bool is_language_and_territory(std::string_view text) {
    const auto underscore = text.find('_');
    const auto language = text.substr(0, underscore);
    if (language.size() < 2 || language.size() > 3 || !std::all_of(language.begin(), language.end(), is_lower))
        return false;
    if (underscore == std::string_view::npos)
        return true;
    const auto territory = text.substr(underscore + 1);
    return territory.size() == 2 && std::all_of(territory.begin(), territory.end(), is_upper);
}

}  // namespace

std::string flaw_of_locale(std::string_view locale) {
    if (locale == "C" || locale == "POSIX" || locale == "C.UTF-8")
        return {};
    const auto at = locale.find('@');
    const auto modifier = at == std::string_view::npos ? "x" : locale.substr(at + 1);
    const auto plain = locale.substr(0, at);
    const auto dot = plain.find('.');
    const auto charset = dot == std::string_view::npos ? "x" : plain.substr(dot + 1);
    if (!is_language_and_territory(plain.substr(0, dot)) || charset.empty() || modifier.empty() ||
        !is_made_of(charset, "-") || !is_made_of(modifier, ""))
        return "a locale is 'C.UTF-8', 'POSIX', or language and country as in 'de_DE.UTF-8'";
    return {};
}

std::string flaw_of_keyboard(std::string_view layout) {
    if (layout.empty() || layout.size() > 32 || !is_lower(layout.front()) || has_upper(layout) ||
        !is_made_of(layout, "_,"))
        return "a keyboard layout is wanted, as in 'de' or 'us'";
    return {};
}

std::string flaw_of_keyboard_word(std::string_view word) {
    if (word.empty() || word.size() > 128 || !is_made_of(word, "_,:-+"))
        return "a word of XKB is wanted, as in 'nodeadkeys', 'pc105' or 'grp:alt_shift_toggle'";
    return {};
}

std::string flaw_of_architecture(std::string_view name) {
    static constexpr std::array<std::string_view, 11> kKnown = {
        "amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "mipsel", "ppc64el", "riscv64", "s390x"};
    if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end())
        return {};
    const auto near = nearest(name, kKnown);
    return fmt::format("no architecture of Debian has this name{}",
                       near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
}

std::string flaw_of_suite(std::string_view suite) {
    if (suite.ends_with('/'))
        return "a repository without suites and components is not supported";
    bool good = !suite.empty();
    for (const auto part : split(suite, '/'))
        good = good && !part.empty() && is_alphanumeric(part.front()) && is_made_of(part, ".+_-");
    return good ? "" : "a suite is letters, digits, '.', '-' and '/', as in 'bookworm-backports'";
}

std::string flaw_of_component(std::string_view component) {
    return flaw_of_suite(component).empty() ? "" : "a component is a word as 'main'";
}

std::string flaw_of_package(std::string_view package) {
    if (package.find_first_of(":=/") != std::string_view::npos &&
        flaw_of_package(package.substr(0, package.find_first_of(":=/"))).empty())
        return "the name alone is wanted, without version, suite or architecture";
    if (package.size() < 2 || has_upper(package) || !is_alphanumeric(package.front()) || !is_made_of(package, "+-."))
        return "a package name is two or more lower-case letters, digits, '+', '-' or '.', and starts with a letter or "
               "digit";
    return {};
}

std::string flaw_of_uri(std::string_view uri) {
    constexpr std::string_view kWanted =
        "an http, https, ftp or file URI is wanted, as in 'http://mirror.example.org/debian'";
    if (std::any_of(uri.begin(), uri.end(), [](char c) { return is_control(c) || c == ' ' || c == '"' || c == '\''; }))
        return std::string(kWanted);
    if (uri.starts_with("file:/"))
        return {};
    const auto colon = uri.find("://");
    const auto scheme = uri.substr(0, colon);
    if (colon == std::string_view::npos || (scheme != "http" && scheme != "https" && scheme != "ftp"))
        return std::string(kWanted);
    const auto host = uri.substr(colon + 3, uri.find('/', colon + 3) - (colon + 3));
    if (host.find('@') != std::string_view::npos)
        return "a recipe is no place for a user name or password; apt_auth.conf(5) is";
    return host.empty() || host.front() == ':' || uri.find_first_of("?#") != std::string_view::npos
               ? std::string(kWanted)
               : "";
}

std::string flaw_of_account(std::string_view name) {
    if (name.empty() || name.size() > 32 || !is_lower(name.front()) || has_upper(name) || !is_made_of(name, "_-"))
        return "a name of at most 32 lower-case letters, digits, '-' and '_' is wanted, starting with a letter";
    return {};
}

std::string flaw_of_account_or_number(std::string_view name) {
    const bool is_number = !name.empty() && name.size() <= 9 && std::all_of(name.begin(), name.end(), is_digit);
    return is_number || flaw_of_account(name).empty() ? "" : "the name or number of an account of the guest is wanted";
}

std::string flaw_of_gecos(std::string_view text) {
    return !flaw_of_line(text).empty() || text.find(':') != std::string_view::npos
               ? "one line without ':' is wanted, as in 'Joe User,,,'"
               : "";
}

std::string flaw_of_guest_path(std::string_view path) {
    if (!flaw_of_line(path).empty())
        return "it has a control character";
    if (!path.starts_with('/') || path.size() < 2 || path.ends_with('/'))
        return "an absolute path in the guest is wanted, as in '/etc/motd'";
    for (const auto part : split(path.substr(1), '/'))
        if (part.empty() || part == "." || part == "..")
            return "a path in the guest has no empty parts, '.' or '..'";
    return {};
}

std::string flaw_of_variable(std::string_view name) {
    if (name.empty() || is_digit(name.front()) || !is_made_of(name, "_"))
        return "the name of an environment variable is wanted, without '$'";
    return {};
}

std::string flaw_of_line(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_control) ? "it has a control character" : "";
}

std::string flaw_of_file_name(std::string_view path) {
    return path.empty() ? "a file name is wanted" : flaw_of_line(path);
}

std::string flaw_of_vif_word(std::string_view text) {
    if (text.empty() || text.find_first_of(", \"'\\") != std::string_view::npos || !flaw_of_line(text).empty())
        return "a word without commas, blanks or quotes is wanted";
    return {};
}

std::string flaw_of_words(std::string_view text) {
    if (text.empty())
        return "it is empty";
    if (text.find('"') != std::string_view::npos && text.find('\'') != std::string_view::npos)
        return "it has quotes of both kinds, which xl.cfg cannot hold";
    return flaw_of_line(text);
}

}  // namespace vprov::recipe
