// A domain's console on this process's standard input and output.
#pragma once

#include <string>

#include "hypervisor/engine/engine.h"

namespace vprov::cli {

enum class Replay { tail, all };  // what was said before: the last lines, or everything kept

// Passes bytes until Ctrl-] is typed, the domain has ended, or a stop is requested (Error(interrupted)). A terminal is
// set to raw mode and restored on every way out. Standard input that is not a terminal is passed on as it is; after its
// end the session goes on until the guest has said nothing for a second, so that what it answers is seen. Returns true
// when the domain has ended. Throws Error(hypervisor) when anything else has ended the console.
bool run_console(const hypervisor::DomainEngine& engine, const std::string& name, Replay replay);

}  // namespace vprov::cli
