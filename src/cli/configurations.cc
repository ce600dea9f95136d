#include "cli/configurations.h"

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/launch/autostart.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

std::string configuration_line(const std::string& setting) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
        throw error(ErrorKind::usage, "cannot use {}: settings are KEY=VALUE", quote(setting));
    const auto key = setting.substr(0, equals);
    const auto value = std::string(trimmed(std::string_view(setting).substr(equals + 1)));
    const bool is_written_out =
        !value.empty() && (value.front() == '"' || value.front() == '\'' || value.front() == '[' ||
                           (value.front() >= '0' && value.front() <= '9' &&
                            value.find_first_not_of("0123456789abcdefx") == std::string::npos));
    return fmt::format("{}={}\n", key, is_written_out ? value : hypervisor::cfg_string(key, value));
}

}  // namespace

fs::path find_configuration(const std::string& given, const fs::path& output) {
    const fs::path path = given;
    if (given.find('/') != std::string::npos || path.extension() == ".cfg" || fs::is_regular_file(path))
        return path;
    const auto built = output / given / (given + ".cfg");
    const auto kept = hypervisor::configuration_directory() / (given + ".cfg");
    for (const auto& candidate : {built, kept})
        if (fs::exists(candidate))
            return candidate;
    throw error(ErrorKind::hypervisor, "cannot find a configuration for {}: neither {} nor {} exists", quote(given),
                quote(built.native()), quote(kept.native()));
}

std::string with_settings(std::string configuration, const std::vector<std::string>& settings) {
    if (!settings.empty())
        configuration += "\n";
    for (const auto& setting : settings) configuration += configuration_line(setting);
    return configuration;
}

}  // namespace vprov::cli
