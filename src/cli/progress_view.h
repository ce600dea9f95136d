// What a person sees while a build runs, on standard error.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/progress.h"

namespace vprov::cli {

// The words of a view, apart from where they go: tests compare them.
std::string stage_line(Stage stage, double seconds,
                       std::string_view summary);  // "  fetch         1.4 s  174 packages, 84.1 MB"
// "fetch  98/174 packages  42.1/84.1 MB  11.2 MB/s  4 s left  libc6", cut to `width` columns.
std::string live_line(Stage stage, const StageProgress& progress, double seconds, std::size_t width);

// A line a stage, as it ends. For logs and pipes.
class LineProgress : public Progress {
  public:
    LineProgress(bool verbose, bool colour) : verbose_(verbose), colour_(colour) {}
    void started(Stage stage) override;
    void advanced(Stage stage, const StageProgress& progress) override;
    void finished(Stage stage, double seconds, std::string_view summary) override;
    void warning(std::string_view text) override;
    void detail(std::string_view text) override;
    void pause();  // nothing of a line that moves is left on the terminal

  protected:
    virtual void clear_live_line() {}
    std::mutex mutex_;

  private:
    bool verbose_, colour_;
};

// The same with a last line that moves.
class LiveProgress final : public LineProgress {
  public:
    using LineProgress::LineProgress;
    ~LiveProgress() override;
    void started(Stage stage) override;
    void advanced(Stage stage, const StageProgress& progress) override;

  private:
    using Clock = std::chrono::steady_clock;
    void clear_live_line() override;
    Stage stage_ = Stage::index;
    Clock::time_point stage_begin_, last_drawn_;
    bool drawn_ = false;
};

}  // namespace vprov::cli
