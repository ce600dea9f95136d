// What makes a program's output the same in every run (src/stand-ins/same_bytes.c).
#pragma once

#include <string_view>

namespace vprov::partition {

std::string_view same_bytes_library();  // a shared object for LD_PRELOAD

}  // namespace vprov::partition
