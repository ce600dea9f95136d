// Several byte streams over one connection that has only one, such as ssh's standard input and output.
//
// Frames of four bytes and data, both ways: the stream's number, then the length, 24 bits, big-endian; a length of 0 is
// the end of that stream. A thread passes them between the connection and socket pairs.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "os/fd.h"

namespace vprov::hypervisor {

class Streams {
  public:
    // `in` and `out` may be two descriptors of one socket. When the connection ends, so do all streams.
    Streams(os::Fd in, os::Fd out);
    ~Streams();  // sends what was written to streams whose ends are closed, for 2 s at most
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    // A socket of the stream `number`, which the other side opens too; each number once. What arrives before waits.
    os::Fd open(std::uint8_t number);
    // The same with a socket that is there already.
    void attach(std::uint8_t number, os::Fd socket);

  private:
    struct Stream {
        os::Fd local;
        std::string arrived;  // not taken yet
        bool ended = false;   // nothing more arrives
        bool sent_end = false;
    };
    void pass_on();
    bool wait_and_pass();
    void read_connection();
    void take_frames();
    void read_local(std::uint8_t number, Stream& stream);
    static void write_local(Stream& stream);
    void write_connection();
    std::size_t most_arrived() const;
    bool is_drained() const;

    std::mutex mutex_;  // streams_, closing_ and ended_
    std::map<std::uint8_t, Stream> streams_;
    bool closing_ = false;
    bool ended_ = false;  // the connection has
    os::Fd in_, out_, wake_;
    std::string unread_, unsent_;
    std::thread thread_;
};

}  // namespace vprov::hypervisor
