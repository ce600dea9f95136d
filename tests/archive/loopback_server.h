// tests/tools/serve.py as a process: an HTTP server on the loopback interface that can be told to misbehave.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::archive {

class LoopbackServer {
  public:
    using Faults = std::vector<std::pair<std::string, std::string>>;  // pattern, JSON; see serve.py
    LoopbackServer(const std::filesystem::path& directory, const Faults& faults);
    ~LoopbackServer() { stop(); }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    const std::string& url() const { return url_; }
    // Ends the server: "CONNECTION PATH" of each request, in order.
    std::vector<std::string> stop();

  private:
    os::TempDir work_;
    os::Fd input_;
    pid_t child_ = -1;
    std::string url_;
};

}  // namespace vprov::archive
