// The socket of a running domain: many console clients, one of them writing, and requests. Serves; starts nothing.
//
// A client's first line says what it is: "console read", "console write", "operate WHAT", or a request ("shutdown",
// "destroy").
//   console:  answered by "console reader N\n" or "console writer N\n"; N bytes of what was said before follow, then
//             all that is said, until the domain ends. The first to ask for "console write" writes; what a reader sends
//             is dropped.
//   operate:  answered by "ok\n" or "error TEXT\n". After "ok" each line is answered so; "done", "run" and "finish" end
//             the operation, the end of file without one takes it back.
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
    // Who decides. Each answer is "ok" or "error TEXT".
    class Service {
      public:
        virtual ~Service() = default;
        virtual std::string answer(std::string_view request) = 0;
        virtual std::string begin_operation(std::string_view what) = 0;  // at most one at a time is let begin
        virtual std::string go_on(std::string_view line) = 0;            // with the operation; "done" ends it
        virtual void take_back_operation() = 0;                          // its client went away
    };
    enum class Log { begin, continue_ };
    DomainSocket(os::Fd listening, const std::filesystem::path& log_file, Log log, Service& service);
    ~DomainSocket();

    // The guest has said something: kept, logged, and queued for each console client. A client that has 512 KiB waiting
    // gets "[N bytes lost]" instead of more; nobody waits for it.
    void said(std::string_view data);

    // What the writer typed and the guest has not taken yet; the caller removes what it passed on. While more than
    // 64 KiB wait the writer is not read.
    std::string& typed() { return typed_; }

    void append_polls(std::vector<pollfd>& polls) const;  // kept in order for handle()
    void handle(std::span<const pollfd> polls);           // exactly those that append_polls() appended

    void move_log(const std::filesystem::path& file);  // its directory has a new name

    void flush(int milliseconds);  // what is queued goes out, as far as clients take it in this time

  private:
    struct Client;
    void accept_clients();
    void read_from(Client& client);
    void take_lines(Client& client);
    void first_line(Client& client, std::string_view line);
    void operate(Client& client, std::string_view line);
    void close(Client& client);
    void attach(Client& client, bool wants_to_write);
    void write_to(Client& client);
    static void queue(Client& client, std::string_view data);

    os::Fd listening_;
    ConsoleLog log_;
    Service& service_;
    std::list<std::unique_ptr<Client>> clients_;
    std::string typed_;
};

}  // namespace vprov::hypervisor
