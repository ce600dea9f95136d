// The tarballs of debootstrap's --make-tarball: .debs, package lists and notes, as they lie in a tree.
#pragma once

#include <filesystem>

namespace vprov::pack {

// Copies the regular files right below var/lib/apt/lists, var/cache/apt/archives and debootstrap out of `tarball` (any
// compression) into `folder`/lists, /archives and /debootstrap, under their last names; everything else is passed over,
// so no name in it leads anywhere. Throws Error(archive) for what is no tar or has nothing of it, Error(disk).
void extract_apt_tarball(const std::filesystem::path& tarball, const std::filesystem::path& folder);

}  // namespace vprov::pack
