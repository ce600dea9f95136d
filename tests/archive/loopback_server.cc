#include "archive/loopback_server.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {

LoopbackServer::LoopbackServer(const std::filesystem::path& directory, const Faults& faults)
    : work_(std::filesystem::temp_directory_path(), "vprov-serve-") {
    std::vector<std::string> words = {"python3", VPROV_SOURCE_DIR "/tests/tools/serve.py", directory.native(), "--log",
                                      (work_.path() / "log").native()};
    for (const auto& [pattern, json] : faults) words.insert(words.end(), {"--fault", pattern, json});
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    auto input = os::make_pipe();
    auto output = os::make_pipe();
    child_ = ::fork();
    if (child_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(input.read.get(), 0);
        ::dup2(output.write.get(), 1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    input_ = std::move(input.write);
    output.write.reset();
    char c = 0;
    while (::read(output.read.get(), &c, 1) == 1 && c != '\n') url_ += c;
    if (url_.empty())
        throw error(ErrorKind::internal, "serve.py does not start");
}

std::vector<std::string> LoopbackServer::stop() {
    if (child_ < 0)
        return {};
    input_.reset();
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
    std::vector<std::string> lines;
    const auto log = os::read_file(work_.path() / "log");
    for (const auto line : split(log, '\n'))
        if (!line.empty())
            lines.emplace_back(line);
    return lines;
}

}  // namespace vprov::archive
