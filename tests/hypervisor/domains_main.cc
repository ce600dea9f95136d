#include <gtest/gtest.h>

#include <string_view>

#include "hypervisor/launch/supervisor.h"

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "supervise") {
        vprov::hypervisor::run_supervisor(argv[2], argv[3]);
        return 0;
    }
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
