// Which hypervisor a verb talks to.
#pragma once

#include <memory>
#include <string>

#include "cli/verbs.h"
#include "hypervisor/engine/engine.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {

// As --engine or $VPROV_ENGINE says; automatic: Xen where this is its dom0 and has xl, else QEMU. Throws
// Error(hypervisor) where Xen is wanted and is not there.
std::unique_ptr<hypervisor::DomainEngine> open_engine(const Session& session);

// For verbs that only QEMU's domains know. Throws Error(hypervisor) "cannot VERB: ..." where domains run on Xen.
hypervisor::Domains qemu_domains(const Session& session, std::string_view verb);

// A domain of this name runs, whichever engine it was started on. For those who want to change its disks.
bool runs_here(const std::string& name);

}  // namespace vprov::cli
