// The programs of src/stand-ins, statically linked for this machine: faster ones for some of a guest's own, which they
// start for whatever they do not do themselves.
#pragma once

#include <array>
#include <string_view>

namespace vprov::configure {

std::string_view gzip_program();    // an ELF file
std::string_view small_programs();  // one ELF file for all, by the name that it is started under; "" if there is none

// What small_programs() knows, all of /usr/bin: what only maintainer scripts use, and what everybody does.
inline constexpr std::array<const char*, 2> kSmallHelpers = {"dpkg-maintscript-helper", "deb-systemd-helper"};
inline constexpr std::array<const char*, 6> kSmallPrograms = {"basename", "dirname", "readlink",
                                                              "realpath", "mkdir",   "cp"};

// The directory in the sandbox where stand-ins look for the programs that they stand in for; compiled into them.
extern const char* const kRealPrograms;

}  // namespace vprov::configure
