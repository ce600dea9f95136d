// Packages from .debs of this host, for the resolver to choose beside those of the archives.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"

namespace vprov::pipeline {

inline constexpr const char* kLocalSuite = "local-debs";  // the release that they are in

struct LocalDeb {
    std::filesystem::path path;
    std::string name, version, architecture;
    std::string control;  // its fields, a line each and those that go on, with a newline at the end
    Sha256Digest sha256;
    Bytes size;
    std::string origin() const;  // "FILE NAME VERSION SHA256": what a lock says
};

// Reads each file whole. Throws Error(recipe) for what is no .deb, for one of another architecture than the guest's,
// and for two of one package.
std::vector<LocalDeb> read_local_debs(const std::vector<std::filesystem::path>& paths, const std::string& architecture);

// A release that holds them. Pure.
archive::LocalPackages local_packages(const std::vector<LocalDeb>& debs);

// Words for resolve::Request::include that choose just them, whatever the archives have. Pure.
std::vector<std::string> wishes_for(const std::vector<LocalDeb>& debs);

// Puts them where fetch_packages() looks first. Throws Error(recipe) for one that has changed since it was read.
void keep_in_cache(const std::vector<LocalDeb>& debs, const archive::Cache& cache);

}  // namespace vprov::pipeline
