#include "os/foreign_programs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "os/temp_dir.h"

namespace vprov::os {
namespace {

#if defined(__x86_64__)
constexpr const char* kOwn = "amd64";
#elif defined(__aarch64__)
constexpr const char* kOwn = "arm64";
#elif defined(__riscv)
constexpr const char* kOwn = "riscv64";
#else
constexpr const char* kOwn = nullptr;
#endif

TEST(ForeignPrograms, ThoseOfTheMachineRun) {
    if (::geteuid() != 0 || !kOwn)
        GTEST_SKIP() << "only root may change its root directory";
    const TempDir place(std::filesystem::temp_directory_path(), "vprov-test-");
    const auto obstacle = what_forbids_programs_of(kOwn, place.path());
    EXPECT_EQ(obstacle.cause, "");
    EXPECT_EQ(obstacle.fix, "");
    EXPECT_TRUE(std::filesystem::is_empty(place.path()));
}

TEST(ForeignPrograms, ArchitecturesHaveToBeKnown) {
    const auto obstacle = what_forbids_programs_of("vax", "/nowhere");
    EXPECT_EQ(obstacle.cause, "'vax' is no architecture that vprov knows");
    EXPECT_EQ(obstacle.fix, "");
}

}  // namespace
}  // namespace vprov::os
