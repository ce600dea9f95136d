// Where verbs find a domain's configuration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vprov::cli {

// A path as it stands, or the configuration of a NAME that was built below `output` or is kept in
// configuration_directory(). Throws Error(hypervisor).
std::filesystem::path find_configuration(const std::string& given, const std::filesystem::path& output);

// The configuration with settings of the command line, KEY=VALUE each, instead of what it says or besides. What is
// neither quoted, nor a list, nor a number, is meant as a string. Throws Error(usage).
std::string with_settings(std::string configuration, const std::vector<std::string>& settings);

}  // namespace vprov::cli
