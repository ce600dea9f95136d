#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "partition/layout/placement.h"
#include "plan/boot.h"
#include "plan/disks.h"
#include "plan/packages.h"
#include "plan/repositories.h"

namespace vprov::plan {
namespace {

std::vector<Interface> planned_interfaces(const recipe::Recipe& recipe, const std::string& seed) {
    std::vector<Interface> interfaces;
    for (const auto& network : recipe.networks) {
        const auto index = static_cast<unsigned>(interfaces.size());
        interfaces.push_back({network.mac ? *network.mac : derived_mac(seed, index), network.bridge.value_or(""),
                              network.address, network.gateway.value_or(""), network.dns});
    }
    return interfaces;
}

// A kernel finds a file system by its UUID only with an initrd.
std::string planned_cmdline(const recipe::Kernel& kernel, const partition::Volume& root) {
    const bool has_initrd = !kernel.path || kernel.initrd;
    const auto device = has_initrd ? fmt::format("UUID={}", root.uuid.text()) : fmt::format("/dev/{}", root.guest);
    return fmt::format("root={} ro console=hvc0{}{}", device, kernel.cmdline.empty() ? "" : " ", kernel.cmdline);
}

void add_packages(std::vector<std::string>& include, const std::vector<std::string>& more,
                  const std::vector<std::string>& exclude) {
    for (const auto& package : more)
        if (std::ranges::find(exclude, package) == exclude.end() &&
            std::ranges::find(include, package) == include.end())
            include.insert(std::ranges::upper_bound(include, package), package);
}

void check_host_kernel(const recipe::Recipe& recipe, const HostFacts& facts) {
    for (const auto& file : {recipe.system.kernel.path, recipe.system.kernel.initrd})
        if (file && !facts.file_exists(recipe::host_path(recipe, *file)))
            throw error(ErrorKind::recipe, "cannot use {} in [system.kernel]: there is no file {}",
                        quote(file->native()), quote(recipe::host_path(recipe, *file).native()));
}

Plan planned(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options) {
    const auto seed = recipe.seed.value_or(recipe.name);
    Plan plan;
    plan.recipe = recipe;
    plan.name = recipe.name;
    plan.architecture = recipe.system.arch.value_or(facts.architecture);
    plan.hostname = recipe.identity.hostname.value_or(recipe.name);
    plan.fqdn = recipe.identity.domain ? fmt::format("{}.{}", plan.hostname, *recipe.identity.domain) : plan.hostname;
    plan.repositories = planned_repositories(recipe, facts);
    plan.kernel_package = kernel_package(recipe.system, plan.architecture);
    check_host_kernel(recipe, facts);
    std::vector<std::string> added;
    const auto completed = with_boot_partitions(recipe, plan.architecture, added);
    plan.include = planned_packages(completed, plan.kernel_package);
    add_packages(plan.include, boot_packages(completed, plan.architecture), recipe.system.exclude);
    plan.layout = planned_layout(completed, seed, facts);
    for (auto& disk : plan.layout.disks) place(disk);
    plan.boot = planned_boot(completed, plan.architecture, plan.layout);
    plan.boot.added = std::move(added);
    plan.interfaces = planned_interfaces(recipe, seed);
    plan.guest_uuid = Uuid::derived(seed, "guest").text();
    plan.kernel_cmdline = plan.boot.method == recipe::BootMethod::direct
                              ? planned_cmdline(recipe.system.kernel, plan.layout.root())
                              : fmt::format("root=UUID={} ro {}", plan.layout.root().uuid_text(), plan.boot.cmdline);
    plan.output = (std::filesystem::absolute(options.output) / recipe.name).lexically_normal();
    if (options.cache)
        plan.cache = std::filesystem::absolute(*options.cache).lexically_normal();
    return plan;
}

}  // namespace

std::filesystem::path lock_path(const std::filesystem::path& recipe) {
    auto path = std::filesystem::absolute(recipe).lexically_normal();
    return path.replace_extension(".lock");
}

Plan make_plan(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options) {
    try {
        return planned(recipe, facts, options);
    } catch (Error& e) {
        throw e.add_context(recipe.file.string());
    }
}

std::string derived_mac(std::string_view seed, unsigned index) {
    const auto digest = sha256(fmt::format("vprov mac\n{}\n{}\n", seed, index)).bytes;
    return fmt::format("00:16:3e:{:02x}:{:02x}:{:02x}", digest[0] & 0x7f, digest[1], digest[2]);
}

}  // namespace vprov::plan
