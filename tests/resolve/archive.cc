#include "resolve/archive.h"

#include "base/text.h"

namespace vprov::resolve {
namespace {

std::string stanza(std::string_view name, std::string_view version) {
    return fmt::format(
        "Package: {}\nVersion: {}\nFilename: pool/{}_{}.deb\nSize: 1000\nInstalled-Size: 2\nSHA256: {}\n", name,
        version, name, version, sha256(fmt::format("{} {}", name, version)).hex());
}

}  // namespace

TestArchive& TestArchive::add(deb::Release release, std::string_view short_stanzas) {
    std::string text;
    bool has_architecture = true;
    const auto end_stanza = [&] { text += has_architecture ? "\n" : "Architecture: amd64\n\n"; };
    for (const auto raw : split(short_stanzas, '\n')) {
        const auto line = trimmed(raw);
        if (line.empty())
            continue;
        if (line.find(": ") != std::string_view::npos) {
            has_architecture = has_architecture || line.starts_with("Architecture");
            text.append(line).append("\n");
            continue;
        }
        end_stanza();
        const auto words = split_words(line);
        text += stanza(words.at(0), words.at(1));
        has_architecture = false;
    }
    end_stanza();
    index_.add(std::move(release), std::move(text));
    return *this;
}

std::string TestArchive::choose(std::vector<std::string> include, std::vector<std::string> exclude, bool recommends,
                                Variant variant) const {
    Request request;
    request.variant = variant;
    request.include = std::move(include);
    request.exclude = std::move(exclude);
    request.recommends = recommends;
    try {
        std::vector<std::string> chosen;
        for (const auto& [package, automatic] : resolve(index_, request).packages)
            chosen.push_back(
                fmt::format("{}={}{}", index_.full_name(*package), package->version, automatic ? "*" : ""));
        return joined(chosen, " ");
    } catch (const Error& e) {
        return e.kind() == ErrorKind::packages ? e.message() : fmt::format("wrong kind of error: {}", e.message());
    }
}

}  // namespace vprov::resolve
