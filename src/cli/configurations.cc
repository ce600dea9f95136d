#include "cli/configurations.h"

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/autostart.h"

namespace vprov::cli {
namespace fs = std::filesystem;

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

}  // namespace vprov::cli
