#include "pipeline/apt_lists.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/clear_signed.h"
#include "bootstrap/archive/decompress.h"
#include "bootstrap/archive/fetch_releases.h"
#include "bootstrap/archive/release_file.h"
#include "os/temp_dir.h"

namespace vprov::pipeline {
namespace {

std::string_view without_compression(std::string_view path) {
    for (const std::string_view ending : {".xz", ".gz", ".bz2", ".zst"})
        if (path.ends_with(ending))
            return path.substr(0, path.size() - ending.size());
    return path;
}

bool fits(std::string_view data, const archive::ListedFile& listed) {
    return data.size() == listed.size.value && listed.hex_of(data) == listed.hex();
}

class ListWriter {
  public:
    ListWriter(const std::filesystem::path& folder, const archive::Cache& cache, archive::Transport& transport)
        : folder_(folder), cache_(cache), transport_(transport) {}

    void write(const archive::Repository& repository, const deb::Architectures& architectures,
               const std::map<std::string, std::string>& releases) const {
        std::string text;
        for (const std::string_view name : {"InRelease", "Release", "Release.gpg"}) {
            const auto found = releases.find(archive::release_url(repository, name));
            if (found == releases.end())
                continue;
            write_file(found->first, found->second);
            if (name != "Release.gpg")
                text = name == "InRelease" ? archive::clear_text(found->second) : found->second;
        }
        for (const auto& file : archive::packages_files(archive::parse_release(text), repository, architectures))
            write_file(archive::release_url(repository, without_compression(file.path)), text_of(repository, file));
    }

  private:
    void write_file(std::string_view url, std::string_view text) const {
        os::write_file(folder_ / apt_list_name(url), text);
    }

    std::string text_of(const archive::Repository& repository, const archive::IndexFile& file) const {
        if (file.plain)
            if (auto text = cached(*file.plain))
                return *text;
        auto data = cached(file.fetched);
        if (!data)
            data = fetched(archive::release_url(repository, file.path), file.fetched);
        const auto size = file.plain ? file.plain->size : Bytes{8 * data->size()};
        return archive::decompressed(*data, file.path, size, file.plain ? size : archive::kLargestPackagesFile);
    }

    std::optional<std::string> cached(const archive::ListedFile& listed) const {
        const auto path = cache_.find(listed.digest, listed.size);
        if (!path)
            return std::nullopt;
        auto data = os::read_file(*path);
        return fits(data, listed) ? std::optional(std::move(data)) : std::nullopt;
    }

    std::string fetched(const std::string& url, const archive::ListedFile& listed) const {
        std::string data;
        archive::Transfer transfer;
        transfer.url = url;
        transfer.limit = listed.size;
        transfer.on_data = [&](std::string_view portion) {
            data += portion;
            return true;
        };
        transfer.on_restart = [&] { data.clear(); };
        transfer.on_end = [&](const archive::Transfer::Outcome& outcome) {
            if (!outcome.failure.empty())
                throw error(ErrorKind::archive, "cannot fetch {}: {}", url, outcome.failure);
        };
        transport_.run({&transfer, 1});
        if (!fits(data, listed))
            throw error(ErrorKind::archive, "cannot accept {}: it is not the file that the Release file lists", url);
        return data;
    }

    const std::filesystem::path& folder_;
    const archive::Cache& cache_;
    archive::Transport& transport_;
};

}  // namespace

std::string apt_list_name(std::string_view url) {
    constexpr std::string_view kQuoted = "\\|{}[]<>\"^~_=!@#$%^&*";
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    else if (const auto colon = url.find(":/"); colon != std::string_view::npos)
        url.remove_prefix(colon + 1);
    const auto host = url.substr(0, url.find('/'));
    if (const auto user = host.find('@'); user != std::string_view::npos)
        url.remove_prefix(user + 1);
    std::string name;
    for (const char c : url) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '/')
            name += '_';
        else if (byte <= 0x20 || byte >= 0x7f || kQuoted.find(c) != std::string_view::npos)
            name += fmt::format("%{:02x}", byte);
        else
            name += c;
    }
    return name;
}

void write_apt_lists(const std::filesystem::path& folder, const std::vector<archive::Repository>& repositories,
                     const deb::Architectures& architectures, const std::map<std::string, std::string>& releases,
                     const archive::Cache& cache, archive::Transport& transport) {
    const ListWriter writer(folder, cache, transport);
    for (const auto& repository : repositories)
        if (!archive::is_flat(repository))
            writer.write(repository, architectures, releases);
}

}  // namespace vprov::pipeline
