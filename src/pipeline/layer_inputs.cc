#include "pipeline/layer_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace vprov::pipeline {
namespace {

constexpr std::string_view kFormat = "layer format 6";  // raised when the same inputs make another tree or tar
constexpr std::size_t kNamed = 3;

struct Line {
    std::string_view kind, name, value;
};

Line parse(std::string_view line) {
    const auto first = line.find(' ');
    const auto second = line.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
        return {line, "", ""};
    return {line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
}

std::string version_in(std::string_view value) {
    return std::string(value.substr(0, value.find(' ')));
}

std::string described(const Line& line, const Line* before) {
    const bool package = line.kind == "package";
    if (package && !before)
        return fmt::format("{} is new", line.name);
    if (package && version_in(before->value) != version_in(line.value))
        return fmt::format("{} is {} and was {}", line.name, version_in(line.value), version_in(before->value));
    if (line.kind == "manual")
        return fmt::format("{} is wanted for itself", line.name);
    if (line.kind == "layer")
        return "it was made by another version of vprov";
    return fmt::format("{} is another", line.name);
}

}  // namespace

std::string LayerInputs::text() const {
    return joined(lines, "\n") + "\n";
}

Sha256Digest LayerInputs::digest() const {
    return sha256(text());
}

LayerInputs layer_inputs(const resolve::PackageSet& packages, const LayerSettings& settings) {
    LayerInputs inputs;
    const auto text = resolve::canonical_text(packages);
    for (const auto line : split(trimmed(text), '\n')) inputs.lines.push_back(fmt::format("package {}", line));
    for (const auto& [package, automatic] : packages.packages)
        if (!automatic)
            inputs.lines.push_back(fmt::format("manual {} {}", package->name, package->architecture));
    for (const auto& file : settings.prepared) inputs.lines.push_back("file " + file);
    for (const auto& option : settings.options) inputs.lines.push_back("option " + option);
    inputs.lines.push_back("option architecture " + settings.architecture);
    inputs.lines.push_back("option hostname " + settings.hostname);
    inputs.lines.push_back(fmt::format("{} vprov {}", kFormat, VPROV_VERSION));
    std::ranges::sort(inputs.lines);
    return inputs;
}

LayerInputs read_layer_inputs(std::string_view text) {
    LayerInputs inputs;
    for (const auto line : split(text, '\n'))
        if (!line.empty())
            inputs.lines.emplace_back(line);
    return inputs;
}

std::size_t differing_lines(const LayerInputs& a, const LayerInputs& b) {
    std::vector<std::string> differing;
    std::ranges::set_symmetric_difference(a.lines, b.lines, std::back_inserter(differing));
    return differing.size();
}

std::string difference(const LayerInputs& kept, const LayerInputs& wanted) {
    std::map<std::pair<std::string_view, std::string_view>, Line> before;
    for (const auto& line : kept.lines) {
        const auto parsed = parse(line);
        before[{parsed.kind, parsed.name}] = parsed;
    }
    std::vector<std::string> changes;
    for (const auto& line : wanted.lines) {
        const auto now = parse(line);
        const auto found = before.find({now.kind, now.name});
        if (found == before.end() || found->second.value != now.value)
            changes.push_back(described(now, found == before.end() ? nullptr : &found->second));
        if (found != before.end())
            before.erase(found);
    }
    for (const auto& [key, line] : before) changes.push_back(fmt::format("{} is not in it any more", key.second));
    const auto more = changes.size() > kNamed ? changes.size() - kNamed : 0;
    changes.resize(std::min(changes.size(), kNamed));
    return joined(changes, ", ") + (more > 0 ? fmt::format(", and {} more", more) : "");
}

}  // namespace vprov::pipeline
