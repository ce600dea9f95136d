// The socket of a running domain: many console clients, one of them writing, and requests. Serves; starts nothing.
//
// A client's first line says what it is: "console read", "console write", or a request ("shutdown", "destroy").
//   console:  answered by "console reader N\n" or "console writer N\n"; N bytes of what was said before follow, then
//   all
//             that is said, until the domain ends. The first to ask for "console write" writes; what a reader sends is
//             dropped.
//   request:  answered by "ok\n" or "error TEXT\n" and the end of file.
#pragma once

#include <poll.h>

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/console_log.h"
#include "os/fd.h"

namespace vprov::hypervisor {

class DomainSocket {
  public:
    using Answer = std::function<std::string(std::string_view request)>;  // "ok" or "error TEXT"
    DomainSocket(os::Fd listening, std::filesystem::path log_file, Answer answer);
    ~DomainSocket();

    // The guest has said something: kept, logged, and queued for each console client. A client that has 512 KiB waiting
    // gets "[N bytes lost]" instead of more; nobody waits for it.
    void said(std::string_view data);

    // What the writer typed and the guest has not taken yet; the caller removes what it passed on. While more than
    // 64 KiB wait the writer is not read.
    std::string& typed() { return typed_; }

    void append_polls(std::vector<pollfd>& polls) const;  // kept in order for handle()
    void handle(std::span<const pollfd> polls);           // exactly those that append_polls() appended

    void flush(int milliseconds);  // what is queued goes out, as far as clients take it in this time

  private:
    struct Client;
    void accept_clients();
    void read_from(Client& client);
    void first_line(Client& client, std::string_view line);
    void attach(Client& client, bool wants_to_write);
    static void write_to(Client& client);
    static void queue(Client& client, std::string_view data);

    os::Fd listening_;
    ConsoleLog log_;
    Answer answer_;
    std::list<std::unique_ptr<Client>> clients_;
    std::string typed_;
};

}  // namespace vprov::hypervisor
