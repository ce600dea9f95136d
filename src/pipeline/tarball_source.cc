#include "pipeline/tarball_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/fetch_releases.h"
#include "bootstrap/archive/incoming.h"
#include "os/fd.h"
#include "pipeline/apt_lists.h"
#include "pipeline/deb_folder.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

// The list for "...dists/SUITE/REST", whatever the mirror's name was.
std::optional<fs::path> list_for(const fs::path& folder, std::string_view url) {
    const auto dists = url.rfind("/dists/");
    if (dists == std::string_view::npos)
        return std::nullopt;
    const auto ending = apt_list_name(url.substr(dists));
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(folder / "lists", failure))
        if (entry.path().filename().native().ends_with(ending))
            return entry.path();
    return std::nullopt;
}

std::string plain_path(std::string_view path) {
    return std::string(path.substr(0, path.rfind('.') == std::string_view::npos ? path.size() : path.rfind('.')));
}

std::string packages_text(const fs::path& folder, const archive::Repository& repository,
                          const archive::IndexFile& file) {
    const auto path = plain_path(file.path);
    const auto list = list_for(folder, archive::release_url(repository, path));
    if (!list)
        throw error(ErrorKind::archive, "cannot find {} of {} in the tarball", quote(path),
                    archive::name_of(repository));
    auto text = os::read_file(*list);
    if (!file.plain || text.size() != file.plain->size.value || sha256(text) != file.plain->digest)
        throw error(ErrorKind::archive,
                    "cannot accept {} of {} in the tarball: it is not the file that the Release file lists",
                    quote(path), archive::name_of(repository));
    return text;
}

std::vector<std::string> noted_names(const fs::path& folder, std::initializer_list<std::string_view> notes) {
    std::vector<std::string> names;
    for (const auto note : notes) {
        const auto path = folder / "debootstrap" / note;
        const auto text = fs::exists(path) ? os::read_file(path) : std::string();
        for (const auto word : split_words(text)) names.emplace_back(word);
    }
    return names;
}

resolve::Request wish_of(const BootstrapRequest& request, const fs::path& folder) {
    auto names = noted_names(folder, {"required", "base"});
    if (names.empty())
        return request.packages;
    return {resolve::Variant::essential, std::move(names), request.packages.exclude, false};
}

deb::PackageIndex read_index(const BootstrapRequest& request, const archive::Cache& cache, const fs::path& folder,
                             const Environment& environment) {
    archive::Incoming incoming(cache);
    TarballTransport transport(folder);
    auto repositories = request.repositories;
    for (auto& repository : repositories) repository.check_valid_until = false;
    const auto releases = archive::fetch_releases(repositories, request.architectures(), environment.now,
                                                  {transport, environment.runner, cache, incoming});
    deb::PackageIndex index(request.architectures());
    for (std::size_t i = 0; i < repositories.size(); ++i) {
        bool is_first = true;
        for (const auto& file : archive::packages_files(releases[i].file, repositories[i], request.architectures())) {
            auto text = packages_text(folder, repositories[i], file);
            is_first ? index.add(releases[i].release, std::move(text)) : index.add_to_last(std::move(text));
            is_first = false;
        }
    }
    return index;
}

}  // namespace

void TarballTransport::run(std::span<archive::Transfer> transfers) {
    for (auto& transfer : transfers) {
        const auto list = list_for(folder_, transfer.url);
        if (list)
            transfer.on_data(os::read_file(*list));
        transfer.on_end(list ? archive::Transfer::Outcome{}
                             : archive::Transfer::Outcome{"it is not in the tarball", true});
    }
}

Selection select_from_tarball(const BootstrapRequest& request, const fs::path& folder, const Environment& environment,
                              StageTimer& timer) {
    const archive::Cache cache(request.cache);
    timer.start(Stage::index);
    auto index = read_index(request, cache, folder, environment);
    timer.finish(fmt::format("{} repositories, {} packages", index.releases().size(), index.packages().size()));
    timer.start(Stage::resolve);
    auto packages = resolve::resolve(index, wish_of(request, folder));
    const auto automatic = noted_names(folder, {"automatic"});
    std::vector<const deb::Package*> all;
    for (auto& selected : packages.packages) {
        all.push_back(selected.package);
        selected.automatic |= std::ranges::find(automatic, index.full_name(*selected.package)) != automatic.end();
    }
    adopt_debs(folder / "archives", all, cache);
    timer.finish(fmt::format("{} packages", all.size()));
    return {std::move(index), std::move(packages)};
}

}  // namespace vprov::pipeline
