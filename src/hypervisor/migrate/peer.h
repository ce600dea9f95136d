// The command at the other end of a move, and the streams to it. Starts a process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "hypervisor/migrate/streams.h"

namespace vprov::hypervisor {

class Peer {
  public:
    // Runs argv with its standard input and output as the connection, and this process's environment and standard
    // error. Throws Error(hypervisor) when there is no such program.
    explicit Peer(const std::vector<std::string>& argv);
    ~Peer();  // ends the connection, and waits 10 s for the process to end by itself
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    Streams& streams() { return *streams_; }

  private:
    pid_t child_ = 0;
    std::unique_ptr<Streams> streams_;
};

}  // namespace vprov::hypervisor
