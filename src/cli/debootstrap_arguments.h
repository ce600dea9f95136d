// The command line as debootstrap(8) reads it: options first, --OPTION=VALUE or --OPTION VALUE, then the arguments.
// Pure, but for the files and directories that debootstrap wants to exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/bootstrap_command.h"

namespace vprov::cli {

struct DebootstrapCall {
    BootstrapCommand command;
    bool verbose = false;
    enum class Wanted { work, help, version } wanted = Wanted::work;
};

// Throws Error(usage) with debootstrap's own words: "unrecognized or invalid option --foo".
DebootstrapCall parse_debootstrap(std::span<const std::string_view> arguments);

extern const std::string_view kDebootstrapUsage;  // what --help prints

}  // namespace vprov::cli
