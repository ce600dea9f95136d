#include "pipeline/deb_folder.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/incoming.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

bool has_size(const fs::path& path, Bytes size) {
    std::error_code failure;
    return fs::is_regular_file(path, failure) && fs::file_size(path, failure) == size.value && !failure;
}

}  // namespace

std::string deb_name(const deb::Package& package) {
    std::string version(package.version);
    if (const auto colon = version.find(':'); colon != std::string::npos)
        version.replace(colon, 1, "%3a");
    return fmt::format("{}_{}_{}.deb", package.name, version, package.architecture);
}

void adopt_debs(const fs::path& folder, const std::vector<const deb::Package*>& packages, const archive::Cache& cache) {
    archive::Incoming incoming(cache);
    for (const auto* package : packages) {
        os::check_stop();
        const auto path = folder / deb_name(*package);
        if (!has_size(path, package->size) || cache.find(package->sha256, package->size))
            continue;
        archive::IncomingFile file(incoming.new_path());
        file.write(os::read_file(path));
        if (file.digest() == package->sha256)
            file.publish(cache, package->sha256);
    }
}

void keep_debs(const fs::path& folder, const std::vector<const deb::Package*>& packages, const archive::Cache& cache) {
    std::error_code failure;
    fs::create_directories(folder, failure);
    for (const auto* package : packages) {
        os::check_stop();
        const auto path = folder / deb_name(*package);
        if (has_size(path, package->size))
            continue;
        const auto temporary = folder / fmt::format(".{}.new", deb_name(*package));
        const auto digest = cache.digest_of(*package).value_or(package->sha256);
        fs::copy_file(cache.path_of(digest), temporary, fs::copy_options::overwrite_existing, failure);
        if (!failure)
            fs::rename(temporary, path, failure);
        if (failure)
            throw error(ErrorKind::disk, "cannot write {}: {}", quote(path.native()), failure.message());
    }
}

}  // namespace vprov::pipeline
