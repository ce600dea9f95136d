// manifest.json: what a build was made from and how long it took. Pure.
#pragma once

#include <string>
#include <vector>

#include "config-render/ssh_host_keys.h"
#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// One JSON object, two spaces of indent, keys in a fixed order: format, name, packages (name, version, architecture,
// size, sha256, release), releases (uri, suite, date, key, sha256), disks, network, ssh_host_keys (type, fingerprint),
// stages (name, seconds), files.
// `files` are all that the build leaves but the manifest itself, relative to its directory.
std::string write_manifest(const plan::Plan& plan, const Selection& selection, const std::vector<StageTime>& times,
                           const std::vector<render::HostKey>& host_keys, const std::vector<std::string>& files);

}  // namespace vprov::pipeline
