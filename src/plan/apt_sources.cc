#include "plan/apt_sources.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/stanza.h"

namespace vprov::plan {
namespace {

std::vector<std::string> words_of(std::string_view text) {
    const auto words = split_words(text);
    return {words.begin(), words.end()};
}

std::string signed_by_option(std::string_view options) {
    constexpr std::string_view kOption = "signed-by=";
    for (const auto option : split_words(options))
        if (option.starts_with(kOption))
            return std::string(option.substr(kOption.size()));
    return {};
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

// Words that apt's StringToBool() takes for no.
bool is_disabled(std::string_view enabled) {
    constexpr std::array<std::string_view, 6> kNo = {"no", "false", "without", "off", "disable", "0"};
    return std::find(kNo.begin(), kNo.end(), lower(trimmed(enabled))) != kNo.end();
}

// sources.list(5) allows whole-line comments between the fields.
std::string without_comments(std::string_view text) {
    std::string out;
    for (const auto line : split(text, '\n'))
        if (!line.starts_with('#'))
            out.append(line).push_back('\n');
    return out;
}

void add_stanza(const deb::Stanza& stanza, std::vector<HostRepository>& sources) {
    const auto types = words_of(stanza.value("Types"));
    if (std::find(types.begin(), types.end(), "deb") == types.end() || is_disabled(stanza.value("Enabled")))
        return;
    const auto components = words_of(stanza.value("Components"));
    if (components.empty())
        return;
    for (const auto& uri : words_of(stanza.value("URIs")))
        for (const auto& suite : words_of(stanza.value("Suites")))
            sources.push_back({uri, suite, components, std::string(trimmed(stanza.value("Signed-By")))});
}

}  // namespace

std::vector<HostRepository> parse_one_line_sources(std::string_view text) {
    std::vector<HostRepository> sources;
    for (auto line : split(text, '\n')) {
        line = trimmed(line.substr(0, line.find('#')));
        if (!line.starts_with("deb ") && !line.starts_with("deb\t") && !line.starts_with("deb["))
            continue;
        line = trimmed(line.substr(3));
        std::string signed_by;
        if (line.starts_with('[')) {
            const auto end = line.find(']');
            if (end == std::string_view::npos)
                continue;
            signed_by = signed_by_option(line.substr(1, end - 1));
            line.remove_prefix(end + 1);
        }
        auto words = words_of(line);
        if (words.size() < 3)
            continue;
        sources.push_back({words[0], words[1], {words.begin() + 2, words.end()}, std::move(signed_by)});
    }
    return sources;
}

std::vector<HostRepository> parse_deb822_sources(std::string_view text) {
    std::vector<HostRepository> sources;
    const auto plain = without_comments(text);
    deb::StanzaReader reader(plain);
    deb::Stanza stanza;
    try {
        while (reader.next(stanza)) add_stanza(stanza, sources);
    } catch (const Error&) {
        return sources;  // apt refuses the file as well; what stands before the fault is good
    }
    return sources;
}

}  // namespace vprov::plan
