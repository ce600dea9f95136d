// resolve_tool: the resolver over Packages files on disk, for comparisons with apt.
//
// usage: resolve_tool [--variant V] [--arch A] [--recommends] [--exclude NAME]... [--auto] [--times]
//                     FILE[:PRIORITY]... -- [NAME...]
// Prints NAME=VERSION lines, sorted by name ("NAME=VERSION auto" with --auto); times in milliseconds to stderr.

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "bootstrap/resolve/resolve.h"
#include "os/fd.h"

namespace {

using vprov::resolve::Variant;

struct Arguments {
    vprov::resolve::Request request;
    std::string architecture = "amd64";
    std::vector<std::string> files;
    bool shows_automatic = false, shows_times = false;
};

Variant variant_of(const std::string& name) {
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
    arguments.request.variant = Variant::minbase;
    std::size_t i = 0;
    for (; i < words.size() && words[i] != "--"; ++i) {
        const auto& word = words[i];
        if (word == "--variant")
            arguments.request.variant = variant_of(words.at(++i));
        else if (word == "--arch")
            arguments.architecture = words.at(++i);
        else if (word == "--exclude")
            arguments.request.exclude.push_back(words.at(++i));
        else if (word == "--recommends")
            arguments.request.recommends = true;
        else if (word == "--auto")
            arguments.shows_automatic = true;
        else if (word == "--times")
            arguments.shows_times = true;
        else
            arguments.files.push_back(word);
    }
    for (++i; i < words.size(); ++i) arguments.request.include.push_back(words[i]);
    return arguments;
}

vprov::deb::PackageIndex read_index(const Arguments& arguments) {
    vprov::deb::PackageIndex index(arguments.architecture);
    for (auto name : arguments.files) {
        vprov::deb::Release release;
        if (const auto colon = name.rfind(':'); colon != std::string::npos) {
            release.not_automatic = true;
            release.but_automatic_upgrades = name.substr(colon) == ":100";
            name.resize(colon);
        }
        release.uri = "file:";
        release.suite = name.substr(name.rfind('/') + 1);
        index.add(release, vprov::os::read_file(name));
    }
    return index;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void run(const Arguments& arguments) {
    auto start = std::chrono::steady_clock::now();
    const auto index = read_index(arguments);
    if (arguments.shows_times)
        fmt::print(stderr, "{} packages read and indexed in {:.1f} ms\n", index.packages().size(),
                   milliseconds_since(start));
    start = std::chrono::steady_clock::now();
    const auto set = vprov::resolve::resolve(index, arguments.request);
    if (arguments.shows_times)
        fmt::print(stderr, "{} packages chosen in {:.1f} ms\n", set.packages.size(), milliseconds_since(start));
    for (const auto& selected : set.packages)
        fmt::print("{}={}{}\n", selected.package->name, selected.package->version,
                   arguments.shows_automatic && selected.automatic ? " auto" : "");
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(read_arguments({argv + 1, argv + argc}));
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 5;
    }
    return 0;
}
