// For verbs whose work needs root: anybody can do it, in a user namespace.
#pragma once

#include <functional>
#include <string>

#include "base/progress.h"

namespace vprov::cli {

// Returns what `work` returns; see os::run_as_root(), whose child may be where it runs. Warns where the tree will
// differ from root's. Before it no thread may have been started.
std::string act_as_root(Progress& progress, const std::function<std::string()>& work);

}  // namespace vprov::cli
