// The program of src/gzip, statically linked for this machine: a faster stand-in for a guest's gzip(1).
#pragma once

#include <string_view>

namespace vprov::configure {

std::string_view gzip_program();  // an ELF file

// Where the sandbox keeps the guest's own gzip meanwhile; compiled into the program.
inline constexpr const char* kRealGzip = "/run/vprov/gzip";

}  // namespace vprov::configure
