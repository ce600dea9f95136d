#include "cli/progress_json.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/progress_view.h"
#include "cli/verbs.h"

namespace vprov::cli {
namespace {

using Json = nlohmann::ordered_json;

void emit(const Json& event) {
    fmt::print("{}\n", event.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::fflush(stdout);
}

// Warnings and errors only.
class QuietProgress final : public SilentProgress {
  public:
    void warning(std::string_view text) override { fmt::print(stderr, "warning: {}\n", text); }
};

}  // namespace

void JsonProgress::started(Stage stage) {
    const std::lock_guard lock(mutex_);
    emit({{"event", "stage-started"}, {"stage", name(stage)}});
}

void JsonProgress::advanced(Stage stage, const StageProgress& p) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(200))
        return;
    last_ = now;
    emit({{"event", "progress"}, {"stage", name(stage)}, {"bytes", p.bytes_done.value}, {"bytes_total", p.bytes_total.value},
          {"packages", p.packages_done}, {"packages_total", p.packages_total}});
}

void JsonProgress::finished(Stage stage, double seconds, std::string_view summary) {
    const std::lock_guard lock(mutex_);
    emit({{"event", "stage-finished"}, {"stage", name(stage)}, {"seconds", std::round(seconds * 1000) / 1000}, {"summary", summary}});
}

void JsonProgress::warning(std::string_view text) {
    const std::lock_guard lock(mutex_);
    emit({{"event", "warning"}, {"message", text}});
}

void JsonProgress::detail(std::string_view text) {
    if (!verbose_)
        return;
    const std::lock_guard lock(mutex_);
    emit({{"event", "output"}, {"line", text}});
}

std::unique_ptr<Progress> make_progress(const Session& session) {
    if (session.output == OutputMode::json)
        return std::make_unique<JsonProgress>(session.verbose);
    if (session.output == OutputMode::quiet)
        return std::make_unique<QuietProgress>();
    const char* terminal = std::getenv("TERM");
    const bool live = ::isatty(STDERR_FILENO) == 1 && terminal && std::string_view(terminal) != "dumb";
    const char* no_colour = std::getenv("NO_COLOR");   // no-color.org: any value that is not empty
    const bool colour = live && !(no_colour && *no_colour);
    if (live)
        return std::make_unique<LiveProgress>(session.verbose, colour);
    return std::make_unique<LineProgress>(session.verbose, false);
}

}  // namespace vprov::cli
