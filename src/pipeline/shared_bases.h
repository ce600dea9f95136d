// Bases that overlays of an output directory stand on: DIR/.bases/DIGEST/IMAGE, read only. Which guests need one is
// what their manifests say, and is counted nowhere else.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "os/temp_dir.h"

namespace vprov::pipeline {

// A base that is not removed while this lives, though no manifest names it yet.
struct SharedBase {
    std::filesystem::path image;
    std::string backing;  // the image's path from a guest's directory: "../.bases/DIGEST/root.img"
    std::shared_ptr<os::FileLock> held;
};

// The base with that content, made of `image` where it is missing: a hard link, or a copy on another file system.
// `image` is not written any more from then on. Throws Error(disk).
SharedBase share_base(const std::filesystem::path& output, const std::filesystem::path& image,
                      const std::string& digest);

// Removes those that no guest needs and nobody holds. Throws Error(disk).
void remove_unused_bases(const std::filesystem::path& output);

}  // namespace vprov::pipeline
