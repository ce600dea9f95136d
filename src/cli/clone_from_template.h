// vprov create --from: a clone of a template that `vprov template` has made.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "hypervisor/engine/engine.h"

namespace vprov::cli {

struct CloneVerb {
    std::string directory;  // the template's; "" : no clone is asked for
    std::string hostname, address, gateway;
    bool waits_for_network = false;
};

// Makes OUTPUT/NAME. Throws Error(usage) for an address that is none, Error(hypervisor) also for a setting that the
// template's memory contradicts.
hypervisor::CreatedDomain create_from_template(const std::string& name, const std::filesystem::path& output,
                                               const std::vector<std::string>& settings, const CloneVerb& verb,
                                               const Session& session);

}  // namespace vprov::cli
