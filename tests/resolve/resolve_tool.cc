// resolve_tool: the resolver over Packages files on disk, for comparisons with apt.
//
// usage: resolve_tool [--arch A[,FOREIGN]...] [--times] FILE[:PRIORITY[:SUITE]]... <REQUESTS
// A request is a line "[--variant V] [--recommends] [--exclude NAME]... [NAME...]"; the variant is minbase unless
// given. Each is answered by lines "NAME=VERSION" ("NAME:ARCH=VERSION" of foreign architectures), sorted by name, with
// " auto" behind those that came in as dependencies, or by one line "! MESSAGE"; where apt would have given up, "~
// MESSAGE" stands before them. An empty line ends the answer. PRIORITY is that of the release (1, 100, or 500), SUITE
// its name. A NAME may have all that deb::PackageWish knows.
// --times says on stderr how much processor time indexing and each answer took.

#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/resolve/resolve.h"
#include "os/fd.h"

namespace {

using vprov::resolve::Variant;

struct Arguments {
    std::string architecture = "amd64";
    std::vector<std::string> files;
    bool shows_times = false;
};

Variant variant_of(std::string_view name) {
    if (name == "essential")
        return Variant::essential;
    if (name == "minbase")
        return Variant::minbase;
    if (name == "buildd")
        return Variant::buildd;
    if (name == "standard")
        return Variant::standard;
    throw vprov::error(vprov::ErrorKind::usage, "no variant '{}'", name);
}

Arguments read_arguments(const std::vector<std::string>& words) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--arch")
            arguments.architecture = words.at(++i);
        else if (words[i] == "--times")
            arguments.shows_times = true;
        else
            arguments.files.push_back(words[i]);
    }
    return arguments;
}

vprov::resolve::Request read_request(std::string_view line) {
    const auto words = vprov::split_words(line);
    vprov::resolve::Request request;
    request.variant = Variant::minbase;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--variant")
            request.variant = variant_of(words.at(++i));
        else if (words[i] == "--exclude")
            request.exclude.emplace_back(words.at(++i));
        else if (words[i] == "--recommends")
            request.recommends = true;
        else
            request.include.emplace_back(words[i]);
    }
    return request;
}

// Of this process, so that a busy machine does not show.
double processor_milliseconds() {
    return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

vprov::deb::PackageIndex read_index(const Arguments& arguments) {
    const auto names = vprov::split(arguments.architecture, ',');
    const std::vector<std::string> foreign(names.begin() + 1, names.end());
    vprov::deb::PackageIndex index({std::string(names.front()), foreign});
    for (const auto& argument : arguments.files) {
        const auto parts = vprov::split(argument, ':');
        const std::string name(parts[0]);
        const auto priority = parts.size() > 1 ? parts[1] : "500";
        vprov::deb::Release release;
        release.not_automatic = priority != "500";
        release.but_automatic_upgrades = priority == "100";
        release.uri = "file:";
        release.suite = parts.size() > 2 ? std::string(parts[2]) : name.substr(name.rfind('/') + 1);
        auto text = vprov::os::read_file(name);
        const auto start = processor_milliseconds();
        index.add(release, std::move(text));
        if (arguments.shows_times)
            fmt::print(stderr, "indexed in {:.1f} ms: {}\n", processor_milliseconds() - start, name);
    }
    return index;
}

void answer(const vprov::deb::PackageIndex& index, const vprov::resolve::Request& request) {
    try {
        const auto set = vprov::resolve::resolve(index, request);
        if (set.deviation)
            fmt::print("~ {}\n", set.deviation->cause);
        for (const auto& selected : set.packages)
            fmt::print("{}={}{}\n", index.full_name(*selected.package), selected.package->version,
                       selected.automatic ? " auto" : "");
    } catch (const vprov::Error& e) {
        fmt::print("! {}\n", e.message());
    }
    fmt::print("\n");
}

void run(const Arguments& arguments) {
    const auto index = read_index(arguments);
    for (std::string line; std::getline(std::cin, line);) {
        const auto request = read_request(line);
        const auto start = processor_milliseconds();
        answer(index, request);
        if (arguments.shows_times)
            fmt::print(stderr, "answered in {:.1f} ms: {}\n", processor_milliseconds() - start, line);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(read_arguments({argv + 1, argv + argc}));
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 1;
    }
    return 0;
}
