// The last of what a console has said, in memory and in a file of bounded size.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace vprov::hypervisor {

class ConsoleLog {
  public:
    static constexpr std::size_t kMemory = 256 << 10;
    static constexpr std::size_t kFile = 1 << 20;

    // Appends to `file`; when that has grown beyond kFile it becomes FILE.1, replacing the one before. A file that
    // cannot be written costs the file only, never the console.
    // An existing file is gone on with, what it ends with being recent(), unless a new one is asked for.
    ConsoleLog(std::filesystem::path file, bool is_new);
    void move_to(std::filesystem::path file) { file_ = std::move(file); }  // after a rename
    void append(std::string_view data);
    std::string_view recent() const;  // at most kMemory bytes, from the beginning of a line where bytes were dropped

  private:
    void open(bool is_new);
    std::filesystem::path file_;
    os::Fd fd_;
    std::size_t written_ = 0;
    std::string memory_;
    bool dropped_ = false;
};

}  // namespace vprov::hypervisor
