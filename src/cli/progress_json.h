// Progress as JSON events on standard output, one a line, for CI. The names are stable: vprov(1), JSON EVENTS.
#pragma once

#include <chrono>
#include <mutex>

#include "base/progress.h"

namespace vprov::cli {

class JsonProgress final : public Progress {
  public:
    explicit JsonProgress(bool verbose) : verbose_(verbose) {}
    void started(Stage stage) override;
    void advanced(Stage stage, const StageProgress& progress) override;   // at most five a second
    void finished(Stage stage, double seconds, std::string_view summary) override;
    void warning(std::string_view text) override;
    void detail(std::string_view text) override;

  private:
    std::mutex mutex_;
    std::chrono::steady_clock::time_point last_;
    bool verbose_;
};

}  // namespace vprov::cli
