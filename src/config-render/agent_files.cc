#include "config-render/agent_files.h"

#include "base/error.h"
#include "config-render/templates.h"

namespace vprov::render {

std::vector<GuestFile> agent_files(const plan::Plan& plan, const PackageNames& packages) {
    if (!plan.recipe.system.agent)
        return {};
    if (!packages.contains("systemd"))
        throw error(ErrorKind::recipe,
                    "{}: cannot give the guest an agent ([system] agent): systemd runs it, and the "
                    "guest has none",
                    plan.recipe.file.native());
    GuestFile program{"/usr/lib/vprov/agent", std::string(agent_program()), 0755};
    program.is_program = true;
    return {std::move(program),
            {"/etc/systemd/system/vprov-agent.service", rendered("agent.service", {})},
            {"/etc/udev/rules.d/60-vprov-agent.rules", rendered("agent.rules", {})}};
}

}  // namespace vprov::render
