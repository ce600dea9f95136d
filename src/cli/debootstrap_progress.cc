#include "cli/debootstrap_progress.h"

#include <fmt/format.h>

#include "base/text.h"

namespace vprov::cli {
namespace {

// "libc6 2.36-9" to "libc6", "libc6:amd64" to "libc6"
std::string_view name_in(std::string_view detail) {
    return detail.substr(0, detail.find_first_of(" :"));
}

}  // namespace

void DebootstrapProgress::started(Stage stage) {
    const std::lock_guard lock(mutex_);
    if (stage == Stage::index)
        say("I: Retrieving InRelease ");
    else if (stage == Stage::resolve)
        say("I: Resolving dependencies of required packages...");
    else if (stage == Stage::configure)
        say("I: Configuring required packages...");
}

void DebootstrapProgress::advanced(Stage stage, const StageProgress& progress) {
    const std::lock_guard lock(mutex_);
    if (progress.detail.empty())
        return;
    if (stage == Stage::index) {
        say_once("I: Retrieving Packages ");
    } else if (stage == Stage::fetch) {
        say_once(fmt::format("I: Retrieving {}", progress.detail));
        if (progress.packages_done > fetched_)
            say_once(fmt::format("I: Validating {}", progress.detail));
        fetched_ = progress.packages_done;
    } else if (stage == Stage::unpack) {
        say_once(fmt::format("I: Extracting {}...", name_in(progress.detail)));
    } else if (stage == Stage::configure) {
        say_once(fmt::format("I: Configuring {}...", name_in(progress.detail)));
    }
}

void DebootstrapProgress::finished(Stage stage, double, std::string_view) {
    const std::lock_guard lock(mutex_);
    if (stage == Stage::index)
        say("I: Checking Release signature");
    else if (stage == Stage::configure)
        say("I: Base system installed successfully.");
}

void DebootstrapProgress::warning(std::string_view text) {
    const std::lock_guard lock(mutex_);
    say(fmt::format("W: {}", text));
}

void DebootstrapProgress::detail(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (verbosity_ == Verbosity::verbose)
        return say(text);
    log_ += text;
    log_ += '\n';
}

void DebootstrapProgress::info(std::string_view text) {
    const std::lock_guard lock(mutex_);
    say(fmt::format("I: {}", text));
}

std::string DebootstrapProgress::log() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

void DebootstrapProgress::say(std::string_view line) {
    fmt::print(to_, "{}\n", line);
    std::fflush(to_);
    log_ += line;
    log_ += '\n';
}

void DebootstrapProgress::say_once(std::string_view line) {
    if (said_.emplace(line).second)
        say(line);
}

}  // namespace vprov::cli
