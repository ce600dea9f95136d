// RECIPE.lock: the packages of a build, each with the digest of its .deb, so that a later build takes the same. Pure.
// TOML; vprov(1), LOCK FILES.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/bootstrap.h"

namespace vprov::pipeline {

// What was asked for when the lock was made. Mirrors are no part of it: any will do.
struct LockedRequest {
    std::string architecture, variant;
    std::vector<std::string> foreign_architectures;
    std::vector<std::string> repositories;  // "bookworm main contrib"
    std::vector<std::string> include, exclude;
    bool recommends = false;
    std::vector<std::string> debs = {};  // LocalDeb::origin()
};

struct LockedPackage {
    std::string name, version, architecture, path;  // path: below the repository's URI
    Sha256Digest sha256;
    Bytes size;
    bool automatic = false;
    std::size_t release = 0;  // position in LockFile::releases
    std::string control;      // the fields of its stanza that installing it needs
};

struct LockFile {
    LockedRequest request;
    std::vector<deb::Release> releases;  // of each what it was when the lock was made
    std::vector<LockedPackage> packages;
};

std::string write_lock(const BootstrapRequest& request, const Selection& selection);

// Throws Error(recipe) "FILE:LINE:COLUMN: cannot read lock: CAUSE".
LockFile read_lock(std::string_view text, const std::string& file);

// The locked packages as though they had just been chosen from the request's mirrors. Throws Error(packages) saying in
// what the request differs from the one that the lock was made for.
Selection locked_selection(const LockFile& lock, const BootstrapRequest& request);

// What a new lock changes against an old one, a line for a package: "+ name 1.2", "- name 1.2", "name 1.1 -> 1.2".
std::vector<std::string> changes(const LockFile& before, const LockFile& after);

}  // namespace vprov::pipeline
