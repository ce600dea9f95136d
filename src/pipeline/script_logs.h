// What packages' scripts said while a tree was configured: DIR/PACKAGE.log for each package that said anything.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace vprov::pipeline {

class ScriptLogs {
  public:
    // Makes `directory`, which a layer's logs can be copied to instead. "" keeps nothing.
    explicit ScriptLogs(std::filesystem::path directory);

    // Adds a line to the file of a package ("name" or "name:arch"). Throws Error(disk).
    void add(std::string_view package, std::string_view line);

    const std::filesystem::path& directory() const { return directory_; }

  private:
    std::filesystem::path directory_;
    std::string current_;  // whose file is open
    os::Fd file_;
};

}  // namespace vprov::pipeline
