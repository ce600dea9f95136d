// Where verbs find a domain's configuration.
#pragma once

#include <filesystem>
#include <string>

namespace vprov::cli {

// A path as it stands, or the configuration of a NAME that was built below `output` or is kept in
// configuration_directory(). Throws Error(hypervisor).
std::filesystem::path find_configuration(const std::string& given, const std::filesystem::path& output);

}  // namespace vprov::cli
