#include <gtest/gtest.h>

#include <csignal>

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);  // as in the program: a pipe that nobody reads is an error of write(2)
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
