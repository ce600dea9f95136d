#include "config-render/timezone.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

constexpr const char* kZones = "/usr/share/zoneinfo";

std::vector<std::string> zones_of(const os::RootDir& root) {
    std::vector<std::string> zones;
    const auto top = root.path() / fs::path(kZones).relative_path();
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(top, failure), end; !failure && entry != end; entry.increment(failure))
        if (!entry->is_directory(failure))
            zones.push_back(entry->path().lexically_relative(top).native());
    std::ranges::sort(zones);
    return zones;
}

}  // namespace

void check_timezone(const os::RootDir& root, const plan::Plan& plan) {
    const auto& zone = plan.recipe.identity.timezone;
    if (!zone || *zone == "UTC" || root.exists(fmt::format("{}/{}", kZones, *zone)))
        return;
    const auto zones = zones_of(root);
    const std::vector<std::string_view> names(zones.begin(), zones.end());
    const auto near = nearest(*zone, names);
    throw error(ErrorKind::recipe, "cannot use {} as [identity] timezone: the guest's tzdata has no such zone{}",
                quote(*zone), near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
}

}  // namespace vprov::render
