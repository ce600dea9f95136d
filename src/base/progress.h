// What a running build says. An interface only: the command line shows it, tests record it. Nothing else prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vprov {

// The stages of a build in their order. `name()` is stable: it stands in --json events and in manifest.json.
enum class Stage { index, resolve, fetch, unpack, configure, personalise, write, render, launch };
std::string_view name(Stage stage);

// How far a stage is. A total of 0 means "not known". Packages and bytes are independent counters.
struct StageProgress {
    Bytes bytes_done, bytes_total;
    std::uint64_t packages_done = 0, packages_total = 0;
    std::string_view detail;  // what is being worked on ("libc6 2.36-9"); borrowed for the call only
};

// Calls may come from several threads at once; implementations lock. None may throw.
class Progress {
  public:
    virtual ~Progress() = default;
    virtual void started(Stage stage) = 0;
    virtual void advanced(Stage stage, const StageProgress& progress) = 0;
    virtual void finished(Stage stage, double seconds,
                          std::string_view summary) = 0;  // summary: "145 packages, 84.1 MB"
    virtual void warning(std::string_view text) = 0;
    virtual void detail(std::string_view text) = 0;  // shown with -v only: a line of a script's output, a command run
};

class SilentProgress : public Progress {
  public:
    void started(Stage) override {}
    void advanced(Stage, const StageProgress&) override {}
    void finished(Stage, double, std::string_view) override {}
    void warning(std::string_view) override {}
    void detail(std::string_view) override {}
};

}  // namespace vprov
