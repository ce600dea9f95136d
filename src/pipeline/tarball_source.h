// An unpacked --make-tarball tarball in the place of a mirror. Its Release files are verified as a mirror's are; when
// they were made does not matter.
#pragma once

#include <filesystem>

#include "pipeline/bootstrap.h"

namespace vprov::pipeline {

class TarballTransport final : public archive::Transport {
  public:
    // `folder` is what pack::extract_apt_tarball() filled.
    explicit TarballTransport(std::filesystem::path folder) : folder_(std::move(folder)) {}
    // Answers for Release files by the end of their URLs, from "dists/" on: the mirror may have another name by now.
    // Everything else fails with "it is not in the tarball".
    void run(std::span<archive::Transfer> transfers) override;

  private:
    std::filesystem::path folder_;
};

// The packages that the tarball says it is for, or those of `request` where it says nothing. The cache of `request`
// gets its .debs; nobody else should use that cache, for the tarball may be older than what others have seen. Throws
// Error(archive) and Error(packages).
Selection select_from_tarball(const BootstrapRequest& request, const std::filesystem::path& folder,
                              const Environment& environment, StageTimer& timer);

}  // namespace vprov::pipeline
