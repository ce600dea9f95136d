#include "hypervisor/launch/console_log.h"

#include <fcntl.h>
#include <unistd.h>

namespace vprov::hypervisor {

ConsoleLog::ConsoleLog(std::filesystem::path file, bool is_new) : file_(std::move(file)) {
    std::error_code none;
    if (!is_new && std::filesystem::exists(file_, none)) {
        memory_ = os::read_file(file_);
        dropped_ = memory_.size() > kMemory;
    }
    open(is_new);
    written_ = memory_.size();
}

void ConsoleLog::open(bool is_new) {
    fd_ = os::Fd(::open(file_.c_str(), O_WRONLY | O_CREAT | (is_new ? O_TRUNC : O_APPEND) | O_CLOEXEC, 0600));
    written_ = 0;
}

void ConsoleLog::append(std::string_view data) {
    memory_.append(data);
    if (memory_.size() > 2 * kMemory) {  // cut seldom: every cut moves what stays
        memory_.erase(0, memory_.size() - kMemory);
        dropped_ = true;
    }
    if (written_ + data.size() > kFile && written_ > 0) {
        auto older = file_;
        older += ".1";
        std::error_code ignored;
        std::filesystem::rename(file_, older, ignored);
        open(true);
    }
    if (fd_.is_open() && ::write(fd_.get(), data.data(), data.size()) > 0)
        written_ += data.size();
}

std::string_view ConsoleLog::recent() const {
    std::string_view text = memory_;
    bool cut = dropped_;
    if (text.size() > kMemory) {
        text.remove_prefix(text.size() - kMemory);
        cut = true;
    }
    const auto newline = cut ? text.find('\n') : std::string_view::npos;
    return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

}  // namespace vprov::hypervisor
