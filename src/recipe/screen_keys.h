// [domain] vnc. Pure.
#pragma once

#include "recipe/keys.h"
#include "recipe/recipe.h"

namespace vprov::recipe {

Key<Domain> vnc_key();  // true, false, or a table

}  // namespace vprov::recipe
