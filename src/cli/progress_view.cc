#include "cli/progress_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"

namespace vprov::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

std::size_t terminal_width() {
    struct winsize size {};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// The done part of the work: by bytes where they are known, by packages otherwise; 0 for "not known".
double done_part(const StageProgress& p) {
    if (p.bytes_total.value != 0)
        return static_cast<double>(p.bytes_done.value) / static_cast<double>(p.bytes_total.value);
    return p.packages_total == 0 ? 0 : static_cast<double>(p.packages_done) / static_cast<double>(p.packages_total);
}

}  // namespace

std::string stage_line(Stage stage, double seconds, std::string_view summary) {
    return fmt::format("  {:<12} {:>6.1f} s  {}", name(stage), seconds, summary);
}

std::string live_line(Stage stage, const StageProgress& p, double seconds, std::size_t width) {
    auto line = fmt::format("  {:<12}", name(stage));
    if (p.packages_total != 0)
        line += fmt::format("  {}/{} packages", p.packages_done, p.packages_total);
    if (p.bytes_total.value != 0) {
        line += fmt::format("  {} of {}", human(p.bytes_done), human(p.bytes_total));
        if (stage == Stage::fetch && seconds > 0.2)
            line += fmt::format("  {}/s",
                                human({static_cast<std::uint64_t>(static_cast<double>(p.bytes_done.value) / seconds)}));
    }
    if (const double part = done_part(p); part > 0.02 && part < 1 && seconds > 0.5)
        line += fmt::format("  {:.0f} s left", std::max(seconds / part * (1 - part), 1.0));
    if (!p.detail.empty())
        line += fmt::format("  {}", p.detail);
    return line.substr(0, width);
}

void LineProgress::started(Stage) {}
void LineProgress::advanced(Stage, const StageProgress&) {}

void LineProgress::finished(Stage stage, double seconds, std::string_view summary) {
    const std::lock_guard lock(mutex_);
    clear_live_line();
    fmt::print(stderr, "{}\n", stage_line(stage, seconds, summary));
}

void LineProgress::warning(std::string_view text) {
    const std::lock_guard lock(mutex_);
    clear_live_line();
    fmt::print(stderr, "{}warning:{} {}\n", colour_ ? "\x1b[33m" : "", colour_ ? "\x1b[0m" : "", text);
}

void LineProgress::detail(std::string_view text) {
    if (!verbose_)
        return;
    const std::lock_guard lock(mutex_);
    clear_live_line();
    fmt::print(stderr, "    {}\n", text);
}

void LineProgress::pause() {
    const std::lock_guard lock(mutex_);
    clear_live_line();
}

LiveProgress::~LiveProgress() {
    clear_live_line();
}

void LiveProgress::started(Stage stage) {
    advanced(stage, {});
}

void LiveProgress::advanced(Stage stage, const StageProgress& progress) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    // Unpacking runs beside fetching; the line shows the stage that began last.
    if (stage > stage_ || stage_begin_ == Clock::time_point{}) {
        stage_ = stage;
        stage_begin_ = now;
    } else if (stage != stage_ || now - last_drawn_ < kRedraw) {
        return;
    }
    last_drawn_ = now;
    const double seconds = std::chrono::duration<double>(now - stage_begin_).count();
    fmt::print(stderr, "\r\x1b[K{}", live_line(stage, progress, seconds, terminal_width() - 1));
    std::fflush(stderr);
    drawn_ = true;
}

void LiveProgress::clear_live_line() {
    if (drawn_)
        fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    drawn_ = false;
}

}  // namespace vprov::cli
