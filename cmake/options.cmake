option(BUILD_TESTING "Build the tests" ON)
option(VPROV_UNIT_TESTS "Build and register the unit tests" ON)
option(VPROV_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(VPROV_FUZZ "Build the readers with clang's libFuzzer, and test nothing but them" OFF)
set(VPROV_FUZZ_SECONDS 30 CACHE STRING "How long each fuzz target runs as a test")
set(VPROV_DEFAULT_MIRROR "http://ftp.debian.org/debian" CACHE STRING
  "Mirror used when neither the recipe nor the host's apt sources name one")
set(VPROV_DEFAULT_SECURITY_MIRROR "http://security.debian.org/debian-security" CACHE STRING
  "Security mirror used when neither the recipe nor the host's apt sources name one")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(MOLD mold)  # links the tests, with what they use in each of them, in a fraction of the time
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wunused -Woverloaded-virtual -Wformat=2 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -Werror=return-type)
add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
if(VPROV_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(VPROV_SANITIZE)
  # -g1: lines are what a report names; with more, the tests' programs alone take 4 GB
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=address,undefined)
endif()
