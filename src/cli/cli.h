// The command line: the only place that prints and decides exit codes.
#pragma once

namespace vprov::cli {

int run(int argc, char** argv);  // the process's exit status, as vprov(1) lists it; throws nothing

}  // namespace vprov::cli
