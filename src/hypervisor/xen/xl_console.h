// A domain's console by way of `xl console`.
#pragma once

#include "hypervisor/engine/engine.h"

namespace vprov::hypervisor {

// Runs `xl console ID` on a terminal of its own and hands out that terminal's other side: xl passes on what is typed
// only when it has a terminal. It holds the domain's console alone: for a second one xl says so in the stream, and
// fails. The stream begins with what xenconsoled has kept because nobody read it. Throws Error(hypervisor).
DomainEngine::Console open_xl_console(unsigned id);

}  // namespace vprov::hypervisor
