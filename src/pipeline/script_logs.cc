#include "pipeline/script_logs.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/text.h"

namespace vprov::pipeline {

ScriptLogs::ScriptLogs(std::filesystem::path directory) : directory_(std::move(directory)) {
    std::error_code failure;
    if (!directory_.empty())
        std::filesystem::create_directories(directory_, failure);
    if (failure)
        throw system_error(ErrorKind::disk, failure.value(), "cannot make " + quote(directory_.native()));
}

void ScriptLogs::add(std::string_view package, std::string_view line) {
    if (directory_.empty())
        return;
    if (package != current_) {
        file_ = os::open_file(directory_ / fmt::format("{}.log", package), O_WRONLY | O_CREAT | O_APPEND, 0644);
        current_ = package;
    }
    os::write_all(file_.get(), fmt::format("{}\n", line), current_ + ".log");
}

}  // namespace vprov::pipeline
