// A configuration of xm, which was Python, as far as it is data. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "hypervisor/guest/cfg_text.h"

namespace vprov::hypervisor {

// Assignments of strings ('...', "...", '''...''', with any prefix and escape), integers, True, False, None, lists and
// tuples; names that were assigned before; "+" and "%" of those; imports, which are passed over. None is no assignment.
// Nothing is run: a statement or a call is an Error(hypervisor) "FILE:LINE: cannot read the configuration: CAUSE".
std::map<std::string, CfgEntry> parse_python_cfg(std::string_view text, std::string_view file);

}  // namespace vprov::hypervisor
