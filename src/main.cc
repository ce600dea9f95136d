#include "cli/cli.h"

int main(int argc, char** argv) { return vprov::cli::run(argc, argv); }
