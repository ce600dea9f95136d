// A string in xl's grammar, and the refusal of what that cannot hold. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vprov::hypervisor {

// Throws Error(recipe) "cannot write WHAT 'VALUE' to the domain configuration: CAUSE".
[[noreturn]] void refuse_to_write(std::string_view what, std::string_view value, std::string_view cause);

// In the quotes that it does not contain; a backslash is doubled: xl reads escapes. Refuses both quotes in one string,
// and control characters.
std::string cfg_string(std::string_view what, std::string_view value);

}  // namespace vprov::hypervisor
