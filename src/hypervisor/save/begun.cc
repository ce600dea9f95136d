#include "hypervisor/save/begun.h"

namespace vprov::hypervisor {

bool has_begun_all_the_same(const Domains& domains, const std::string& name, Phase wanted) {
    for (const auto& domain : domains.list())
        if (domain.name == name) {
            const auto record = domains.state().read(name);
            if (record && record->phase == wanted)
                return true;
            domains.destroy(name);
        }
    return false;
}

}  // namespace vprov::hypervisor
