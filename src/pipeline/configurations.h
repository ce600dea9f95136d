// A plan's domain configurations as files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// Which configurations a build of the plan writes, NAME.cfg first.
std::vector<hypervisor::Format> configuration_formats(const plan::Plan& plan);

// Writes them into `directory`, each read back before. With a VNC password they can be read by their owner only; one
// that is made up stands in "vnc-password" beside them, likewise. What a format has no words for is warned about.
// Returns the files' names. Throws Error(recipe) for a password that cannot be had, or that VNC cannot use: it takes 1
// to 8 characters.
std::vector<std::string> write_configurations(const plan::Plan& plan, const std::filesystem::path& directory,
                                              Progress& progress);

}  // namespace vprov::pipeline
