#include "cli/progress_view.h"

#include <gtest/gtest.h>

namespace vprov::cli {
namespace {

constexpr std::size_t kWide = 200;

StageProgress bytes(std::uint64_t done, std::uint64_t total) {
    StageProgress progress;
    progress.bytes_done = {done};
    progress.bytes_total = {total};
    return progress;
}

TEST(StageLine, AlignsNamesAndTimes) {
    EXPECT_EQ(stage_line(Stage::fetch, 1.44, "174 packages, 84.1 MB"),
              "  fetch           1.4 s  174 packages, 84.1 MB");
    EXPECT_EQ(stage_line(Stage::personalise, 123.96, "debian1"), "  personalise   124.0 s  debian1");
}

TEST(LiveLine, ShowsCountsRateAndTimeLeft) {
    auto progress = bytes(42'000'000, 84'000'000);
    progress.packages_done = 98;
    progress.packages_total = 174;
    progress.detail = "libc6";
    EXPECT_EQ(live_line(Stage::fetch, progress, 4, kWide),
              "  fetch         98/174 packages  42.0 MB of 84.0 MB  10.5 MB/s  4 s left  libc6");
}

TEST(LiveLine, HasARateOnlyForWhatIsFetched) {
    EXPECT_EQ(live_line(Stage::index, bytes(10'000'000, 40'000'000), 2, kWide),
              "  index         10.0 MB of 40.0 MB  6 s left");
}

TEST(LiveLine, CountsPackagesWhereBytesAreNotKnown) {
    StageProgress progress;
    progress.packages_done = 50;
    progress.packages_total = 150;
    EXPECT_EQ(live_line(Stage::configure, progress, 5, kWide), "  configure     50/150 packages  10 s left");
}

TEST(LiveLine, DoesNotGuessFromTheFirstMoment) {
    EXPECT_EQ(live_line(Stage::fetch, bytes(1'000'000, 84'000'000), 0.1, kWide), "  fetch         1.0 MB of 84.0 MB");
    EXPECT_EQ(live_line(Stage::fetch, bytes(42'000'000, 84'000'000), 0.4, kWide),
              "  fetch         42.0 MB of 84.0 MB  105 MB/s");
}

TEST(LiveLine, SaysNothingOfTimeAtTheEnd) {
    EXPECT_EQ(live_line(Stage::index, bytes(40'000'000, 40'000'000), 3, kWide), "  index         40.0 MB of 40.0 MB");
}

TEST(LiveLine, HasAtLeastASecondLeft) {
    EXPECT_EQ(live_line(Stage::index, bytes(39'999'000, 40'000'000), 3, kWide),
              "  index         40.0 MB of 40.0 MB  1 s left");
}

TEST(LiveLine, NamesTheStageBeforeAnythingIsKnown) {
    EXPECT_EQ(live_line(Stage::resolve, {}, 0, kWide), "  resolve     ");
}

TEST(LiveLine, IsCutToTheTerminal) {
    EXPECT_EQ(live_line(Stage::index, bytes(1, 2), 9, 20), "  index         1 B ");
    EXPECT_EQ(live_line(Stage::index, bytes(1, 2), 9, 0), "");
}

}  // namespace
}  // namespace vprov::cli
