#include "config-render/fast_boot.h"

#include "config-render/suite.h"
#include "config-render/templates.h"
#include "plan/fast_boot.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;

constexpr const char* kUnits = "/etc/systemd/system/";
constexpr const char* kGenerators = "/etc/systemd/system-generators/";

GuestFile mask(std::string path) {
    GuestFile link{std::move(path), "/dev/null"};
    link.is_link = true;
    return link;
}

}  // namespace

std::vector<GuestFile> fast_boot_files(const plan::Plan& plan, const PackageNames& packages) {
    if (!plan::boots_fast(plan.recipe) || !packages.contains("systemd"))
        return {};
    std::vector<GuestFile> files;
    for (const auto& unit : plan::units_switched_off(plan)) files.push_back(mask(kUnits + unit));
    for (const auto& generator : plan::generators_switched_off(plan)) files.push_back(mask(kGenerators + generator));
    data modules{data::type::list};
    for (const auto& module : plan::modules_left_out(plan)) modules << data{"module", module};
    if (modules.is_non_empty_list())
        files.push_back({"/etc/modprobe.d/fast-boot.conf", rendered("fast-boot-modules", data{"modules", modules})});
    data trigger;
    trigger["has_priorities"] = has_prioritized_subsystems(plan.recipe.system.suite);
    files.push_back({std::string(kUnits) + "systemd-udev-trigger.service.d/fast-boot.conf",
                     rendered("fast-boot-trigger", trigger)});
    return files;
}

}  // namespace vprov::render
