// Domains that are saved when their host stops, and go on with it: XENDOMAINS_SAVE of xendomains(8).
#pragma once

#include <filesystem>
#include <string>

#include "cli/verbs.h"

namespace vprov::cli {

class AutostartSaves {
  public:
    // `directory`: where they are kept; empty: nothing is saved. Borrows the session.
    AutostartSaves(std::filesystem::path directory, const Session& session)
        : directory_(std::move(directory)), session_(session) {}

    // True when the domain has been saved and is gone. What stands against it is printed. Throws Error(interrupted).
    bool save(const std::string& name) const;
    // True when it goes on from where it was saved, which nothing does a second time. A state that cannot be restored
    // is put aside, and that is printed. Throws Error(interrupted).
    bool restore(const std::string& name) const;

  private:
    std::filesystem::path file_of(const std::string& name) const { return directory_ / (name + ".save"); }

    std::filesystem::path directory_;
    const Session& session_;
};

}  // namespace vprov::cli
