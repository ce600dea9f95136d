#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/text.h"
#include "cli/progress_json.h"
#include "cli/progress_view.h"

namespace vprov::cli {
namespace {

// What `say` prints, on standard output and on standard error.
struct Said {
    std::string output, errors;
};

template <class Say>
Said said_by(const Say& say) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    say();
    Said said;
    said.output = testing::internal::GetCapturedStdout();
    said.errors = testing::internal::GetCapturedStderr();
    return said;
}

void run_a_stage(Progress& progress) {
    progress.started(Stage::fetch);
    StageProgress half;
    half.bytes_done = {5};
    half.bytes_total = {10};
    half.packages_done = 1;
    half.packages_total = 2;
    half.detail = "libc6";
    progress.advanced(Stage::fetch, half);
    progress.warning("the mirror is slow");
    progress.detail("Setting up libc6");
    progress.finished(Stage::fetch, 1.23456, "2 packages, 10 B");
}

TEST(JsonProgress, IsAnEventALine) {
    JsonProgress progress(true);
    const auto said = said_by([&] { run_a_stage(progress); });
    EXPECT_EQ(said.output,
              R"({"event":"stage-started","stage":"fetch"}
{"event":"progress","stage":"fetch","bytes":5,"bytes_total":10,"packages":1,"packages_total":2}
{"event":"warning","message":"the mirror is slow"}
{"event":"output","line":"Setting up libc6"}
{"event":"stage-finished","stage":"fetch","seconds":1.235,"summary":"2 packages, 10 B"}
)");
    EXPECT_EQ(said.errors, "");
}

TEST(JsonProgress, KeepsScriptsToItselfUnlessVerbose) {
    JsonProgress progress(false);
    EXPECT_EQ(said_by([&] { progress.detail("Setting up libc6"); }).output, "");
}

TEST(JsonProgress, TellsOfProgressFiveTimesASecond) {
    JsonProgress progress(false);
    const auto said = said_by([&] {
        for (int i = 0; i < 100; ++i) progress.advanced(Stage::fetch, {});
    });
    EXPECT_EQ(split(said.output, '\n').size(), 2U) << said.output;
}

TEST(JsonProgress, StaysJsonWhateverAScriptSays) {
    JsonProgress progress(true);
    const auto said = said_by([&] { progress.detail("a \"quote\",\na line, and \xe9"); });
    const auto event = nlohmann::json::parse(said.output);
    EXPECT_EQ(event["line"], "a \"quote\",\na line, and \xef\xbf\xbd");
    EXPECT_EQ(said.output.find('\n'), said.output.size() - 1);
}

TEST(JsonProgress, DoesNotMixTheLinesOfThreads) {
    JsonProgress progress(true);
    const auto said = said_by([&] {
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back([&] {
                for (int i = 0; i < 50; ++i) progress.detail(std::string(200, 'x'));
            });
        for (auto& thread : threads) thread.join();
    });
    auto lines = split(said.output, '\n');
    ASSERT_EQ(lines.back(), "");
    lines.pop_back();
    EXPECT_EQ(lines.size(), 200U);
    for (const auto line : lines) EXPECT_EQ(nlohmann::json::parse(line)["line"], std::string(200, 'x'));
}

TEST(LineProgress, IsALineForEachStageThatEnds) {
    LineProgress progress(false, false);
    const auto said = said_by([&] { run_a_stage(progress); });
    EXPECT_EQ(said.errors, "warning: the mirror is slow\n  fetch           1.2 s  2 packages, 10 B\n");
    EXPECT_EQ(said.output, "");
}

TEST(LineProgress, ShowsWhatScriptsSayWhenVerbose) {
    LineProgress progress(true, false);
    EXPECT_EQ(said_by([&] { progress.detail("Setting up libc6"); }).errors, "    Setting up libc6\n");
}

TEST(LineProgress, ColoursWarnings) {
    LineProgress progress(false, true);
    EXPECT_EQ(said_by([&] { progress.warning("slow"); }).errors, "\x1b[33mwarning:\x1b[0m slow\n");
}

TEST(LiveProgress, WipesItsLineBeforeAnotherIsPrinted) {
    LiveProgress progress(false, false);
    const auto said = said_by([&] {
        progress.started(Stage::resolve);
        progress.finished(Stage::resolve, 0.1, "2 packages");
    });
    EXPECT_EQ(said.errors, "\r\x1b[K  resolve     \r\x1b[K  resolve         0.1 s  2 packages\n");
}

TEST(LiveProgress, ShowsTheStageThatBeganLast) {
    LiveProgress progress(false, false);
    const auto said = said_by([&] {
        progress.started(Stage::fetch);
        progress.started(Stage::unpack);
        progress.advanced(Stage::fetch, {});
    });
    EXPECT_EQ(said.errors, "\r\x1b[K  fetch       \r\x1b[K  unpack      ");
}

}  // namespace
}  // namespace vprov::cli
