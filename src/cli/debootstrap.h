// This program under the name of debootstrap: its options, its words, its exit statuses.
#pragma once

namespace vprov::cli {

bool is_called_debootstrap(const char* program);  // by the last part of argv[0]

// 0; 1 for any failure, told as "E: MESSAGE" on standard error; 130 when interrupted. Throws nothing.
int run_debootstrap(int argc, char** argv);

}  // namespace vprov::cli
