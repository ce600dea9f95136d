// What a fuzz target says about its reader: an assertion that no build switches off.
#pragma once

#include <cstdio>
#include <cstdlib>

#define EXPECT_THAT(condition)                                                           \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)
