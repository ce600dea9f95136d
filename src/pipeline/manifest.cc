#include "pipeline/manifest.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "pipeline/disks_json.h"

namespace vprov::pipeline {
namespace {

using Json = nlohmann::ordered_json;

Json release_entry(const deb::Release& release) {
    Json entry = {
        {"uri", release.uri}, {"suite", release.suite}, {"codename", release.codename}, {"date", release.date}};
    if (!release.valid_until.empty())
        entry["valid_until"] = release.valid_until;
    if (release.weak_digests)
        entry["weak_digests"] = true;
    entry["key"] = release.key.empty() ? Json(nullptr) : Json(release.key);
    entry["sha256"] = release.digest.hex();
    return entry;
}

Json package_entry(const resolve::Selected& selected) {
    const auto& package = *selected.package;
    return {{"name", package.name},       {"version", package.version},     {"architecture", package.architecture},
            {"size", package.size.value}, {"sha256", package.sha256.hex()}, {"automatic", selected.automatic},
            {"release", package.release}};
}

Json network_entry(const plan::Interface& interface) {
    Json entry = {{"name", interface.name}, {"mac", interface.mac}};
    if (interface.vlan) {
        entry["vlan"] = *interface.vlan;
        entry["parent"] = interface.parent;
    } else {
        entry["bridge"] = interface.bridge;
    }
    entry["address"] = interface.address;
    return entry;
}

}  // namespace

std::string write_manifest(const plan::Plan& plan, const Selection& selection, const std::vector<StageTime>& times,
                           const std::vector<render::HostKey>& host_keys, const std::vector<std::string>& files) {
    Json manifest = {{"format", 1},
                      {"name", plan.name},
                      {"uuid", plan.guest_uuid},
                      {"machine_id", plan.machine_id},
                      {"architecture", plan.architecture}};
    if (const auto& foreign = plan.recipe.system.foreign_architectures; !foreign.empty())
        manifest["foreign_architectures"] = foreign;
    for (const auto& release : selection.index.releases()) manifest["releases"].push_back(release_entry(release));
    manifest["disks"] = disks_json(plan.layout);
    for (const auto& interface : plan.interfaces) manifest["network"].push_back(network_entry(interface));
    for (const auto& key : host_keys)
        manifest["ssh_host_keys"].push_back({{"type", key.type}, {"fingerprint", key.fingerprint}});
    for (const auto& selected : selection.packages.packages) manifest["packages"].push_back(package_entry(selected));
    for (const auto& time : times)
        manifest["stages"].push_back({{"name", name(time.stage)}, {"seconds", std::round(time.seconds * 1000) / 1000}});
    manifest["files"] = files;
    manifest["files"].push_back("manifest.json");
    return manifest.dump(2) + "\n";
}

}  // namespace vprov::pipeline
