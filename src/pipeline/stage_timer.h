// Announces a stage, measures it, and keeps the times for the manifest.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"

namespace vprov::pipeline {

struct StageTime {
    Stage stage;
    double seconds = 0;
};

class StageTimer {
  public:
    explicit StageTimer(Progress& progress) : progress_(progress) {}
    void start(Stage stage) {
        current_ = stage;
        begin_ = Clock::now();
        progress_.started(stage);
    }
    void finish(std::string_view summary) {
        const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
        times_.push_back({current_, seconds});
        progress_.finished(current_, seconds, summary);
    }
    const std::vector<StageTime>& times() const { return times_; }

  private:
    using Clock = std::chrono::steady_clock;
    Progress& progress_;
    Stage current_ = Stage::index;
    Clock::time_point begin_ = Clock::now();
    std::vector<StageTime> times_;
};

}  // namespace vprov::pipeline
