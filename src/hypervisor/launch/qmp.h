// QEMU's monitor protocol: JSON objects, one a line, over a stream socket.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"

namespace vprov::hypervisor {

class QmpConnection {
  public:
    explicit QmpConnection(os::Fd socket);  // made non-blocking
    int fd() const { return socket_.get(); }
    bool is_open() const { return socket_.is_open(); }

    // Reads what is there; the whole messages among it, in order. A line that is not JSON, or longer than 1 MiB, ends
    // the connection, as the end of file does.
    std::vector<nlohmann::json> receive();

    // {"execute": COMMAND, "arguments": ARGUMENTS, "id": COMMAND}, with `passed` (SCM_RIGHTS) when given; a lost
    // connection shows up in receive(). QEMU reads its monitor at once, so the few bytes of a command always fit into
    // the socket's buffer.
    void execute(std::string_view command, const os::Fd* passed = nullptr);
    void execute(std::string_view command, const nlohmann::json& arguments, const os::Fd* passed = nullptr);

  private:
    os::Fd socket_;
    std::string unread_;
};

}  // namespace vprov::hypervisor
