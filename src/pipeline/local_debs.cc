#include "pipeline/local_debs.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/unpack/deb_archive.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {

std::string control_text(const std::filesystem::path& path) {
    const unpack::DebArchive archive(path);
    for (const auto& file : archive.control())
        if (file.name == "control")
            return std::string(trimmed(file.content)) + "\n";
    throw error(ErrorKind::archive, "it has no control file");
}

LocalDeb read_deb(const std::filesystem::path& path) {
    LocalDeb deb;
    deb.path = path;
    const auto bytes = os::read_file(path, ErrorKind::recipe);
    deb.sha256 = sha256(bytes);
    deb.size = Bytes{bytes.size()};
    deb.control = control_text(path);
    deb::StanzaReader reader(deb.control);
    deb::Stanza stanza;
    if (!reader.next(stanza))
        throw error(ErrorKind::archive, "its control file is empty");
    deb.name = stanza.value("Package");
    deb.version = stanza.value("Version");
    deb.architecture = stanza.value("Architecture");
    if (deb.name.empty() || deb.version.empty() || deb.architecture.empty())
        throw error(ErrorKind::archive, "its control file lacks Package, Version or Architecture");
    return deb;
}

}  // namespace

std::string LocalDeb::origin() const {
    return fmt::format("{} {} {} {}", path.filename().native(), name, version, sha256.hex());
}

std::vector<LocalDeb> read_local_debs(const std::vector<std::filesystem::path>& paths,
                                      const std::string& architecture) {
    std::vector<LocalDeb> debs;
    for (const auto& path : paths) {
        try {
            debs.push_back(read_deb(path));
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;
            throw error(ErrorKind::recipe, "cannot use the package {}: {}", quote(path.native()), e.message());
        }
        const auto& deb = debs.back();
        if (deb.architecture != "all" && deb.architecture != architecture)
            throw error(ErrorKind::recipe, "cannot use the package {}: it is for {}, and the guest for {}",
                        quote(path.native()), deb.architecture, architecture);
        const auto same = std::ranges::find(debs, deb.name, &LocalDeb::name);
        if (&*same != &deb)
            throw error(ErrorKind::recipe, "cannot use the package {}: {} is in {} as well", quote(path.native()),
                        deb.name, quote(same->path.native()));
    }
    return debs;
}

archive::LocalPackages local_packages(const std::vector<LocalDeb>& debs) {
    archive::LocalPackages local;
    for (const auto& deb : debs)
        local.text += fmt::format("{}Filename: {}\nSize: {}\nSHA256: {}\n\n", deb.control, deb.path.filename().native(),
                                  deb.size.value, deb.sha256.hex());
    local.release.uri = "file:///local-debs";
    local.release.suite = local.release.codename = kLocalSuite;
    local.release.digest = sha256(local.text);
    return local;
}

std::vector<std::string> wishes_for(const std::vector<LocalDeb>& debs) {
    std::vector<std::string> wishes;
    wishes.reserve(debs.size());
    for (const auto& deb : debs) wishes.push_back(fmt::format("{}/{}", deb.name, kLocalSuite));
    return wishes;
}

void keep_in_cache(const std::vector<LocalDeb>& debs, const archive::Cache& cache) {
    if (debs.empty())
        return;
    archive::Incoming incoming(cache);
    for (const auto& deb : debs) {
        if (cache.find(deb.sha256, deb.size))
            continue;
        archive::IncomingFile file(incoming.new_path());
        file.write(os::read_file(deb.path, ErrorKind::recipe));
        if (file.digest() != deb.sha256)
            throw error(ErrorKind::recipe, "cannot use the package {}: it is being changed", quote(deb.path.native()));
        file.publish(cache, deb.sha256);
    }
}

}  // namespace vprov::pipeline
