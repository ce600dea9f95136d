// Starting a supervisor that outlives its starter.
#pragma once

#include <string>
#include <vector>

#include "os/fd.h"

namespace vprov::hypervisor {

// Runs argv[0] (a path) as a child of init, in a session of its own, with default signals, a clean environment, null
// for standard input, output and error, and one end of a socket at kLaunchChannel. Returns the other end.
os::Fd spawn_supervisor(const std::vector<std::string>& argv);

// In the supervisor, once stop signals are caught: nothing of who started it stays open (a pipe of a CI job would keep
// the job waiting) but the channel, its directory is / and what it makes is its own.
void leave_starter_behind();

}  // namespace vprov::hypervisor
