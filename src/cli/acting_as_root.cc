#include "cli/acting_as_root.h"

#include <fmt/format.h>

#include "cli/progress_view.h"
#include "os/command.h"
#include "os/user_namespace.h"

namespace vprov::cli {

std::string act_as_root(Progress& progress, const std::function<std::string()>& work) {
    os::SystemCommandRunner runner;
    const auto access = os::find_root_access(runner);
    return os::run_as_root(access, runner, [&] {
        if (access.by == os::RootBy::single_id)
            progress.warning(fmt::format("every file will belong to one user: {}", access.shortfall.text()));
        const auto pause = [&] {  // only this process knows what it has drawn on the terminal
            if (auto* shown = dynamic_cast<LineProgress*>(&progress))
                shown->pause();
        };
        try {
            const auto result = work();
            pause();
            return result;
        } catch (...) {
            pause();
            throw;
        }
    });
}

}  // namespace vprov::cli
