#include "cli/engine.h"

#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/xen/dom0.h"
#include "hypervisor/xen/xen_engine.h"
#include "os/command.h"

namespace vprov::cli {
namespace {

bool is_root() {
    return ::geteuid() == 0;
}

std::unique_ptr<hypervisor::DomainEngine> open_xen() {
    if (!is_root())
        throw error(ErrorKind::hypervisor, "cannot use Xen: only root can (--engine qemu runs domains without it)");
    static os::SystemCommandRunner runner;
    return std::make_unique<hypervisor::XenEngine>(runner);
}

bool is_dom0_with_xl() {
    return hypervisor::find_xen_role() == hypervisor::XenRole::controller && os::program_exists("xl");
}

bool runs_on_xen(const Session& session) {
    return session.engine == EngineName::xen || (session.engine == EngineName::automatic && is_dom0_with_xl());
}

}  // namespace

hypervisor::Domains qemu_domains(const Session& session, std::string_view verb) {
    if (runs_on_xen(session))
        throw error(ErrorKind::hypervisor, "cannot use {}: domains run on Xen here, and it is for those of QEMU",
                    quote(verb));
    return hypervisor::Domains::standard();
}

std::unique_ptr<hypervisor::DomainEngine> open_engine(const Session& session) {
    const auto role = hypervisor::find_xen_role();
    if (session.engine == EngineName::xen && role != hypervisor::XenRole::controller)
        throw error(ErrorKind::hypervisor, "cannot use Xen: this system {}",
                    role == hypervisor::XenRole::none ? "does not run on it" : "is one of its guests, and no dom0");
    if (session.engine == EngineName::xen && !os::program_exists("xl"))
        throw error(ErrorKind::hypervisor, "cannot use Xen: there is no xl (apt install xen-system-amd64)");
    if (runs_on_xen(session))
        return open_xen();
    return std::make_unique<hypervisor::Domains>(hypervisor::Domains::standard());
}

bool runs_here(const std::string& name) {
    return hypervisor::Domains::standard().is_running(name) ||
           (is_root() && is_dom0_with_xl() && open_xen()->is_running(name));
}

}  // namespace vprov::cli
