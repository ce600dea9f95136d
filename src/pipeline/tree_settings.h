// The few files that a bare tree has besides those of its packages.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// apt's sources: a plain line each in /etc/apt/sources.list, as debootstrap and mmdebstrap write them, where all
// repositories are signed by the distribution's own keyring or by none; else as a guest of a recipe has them. A file:
// mirror is nothing to a tree that will be elsewhere: the distribution's default stands in for it.
void write_sources(const os::RootDir& root, const plan::Plan& plan);

// What debootstrap takes over from the host, where the tree has none: /etc/resolv.conf and /etc/hostname; and an
// /etc/fstab that says it is none.
void copy_host_settings(const os::RootDir& root, const std::filesystem::path& host = "/");
// What it copies, as BootstrapRequest::prepared.
std::vector<std::string> host_settings(const std::filesystem::path& host = "/");

}  // namespace vprov::pipeline
