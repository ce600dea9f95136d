// A directory tree as text: a line an entry, sorted, "PATH" with "/" for directories, "=CONTENT" or "->TARGET".
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.h"

namespace vprov::pipeline {

inline std::string tree_text(const std::filesystem::path& tree) {
    namespace fs = std::filesystem;
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        auto line = entry.path().lexically_relative(tree).native();
        if (entry.is_symlink())
            line += "->" + fs::read_symlink(entry.path()).native();
        else
            line += entry.is_directory() ? "/" : "=" + os::read_file(entry.path());
        lines.push_back(line);
    }
    std::ranges::sort(lines);
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    return text;
}

}  // namespace vprov::pipeline
