#include "cli/console_session.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace {

constexpr char kEscape = 0x1d;  // Ctrl-]
constexpr int kSilence = 1000;  // milliseconds

class RawTerminal {
  public:
    RawTerminal() {
        if (!::isatty(STDIN_FILENO) || ::tcgetattr(STDIN_FILENO, &before_) != 0)
            return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        is_raw_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    }
    ~RawTerminal() {
        if (is_raw_)
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    bool is_raw() const { return is_raw_; }

  private:
    termios before_{};
    bool is_raw_ = false;
};

class ConsoleSession {
  public:
    ConsoleSession(hypervisor::DomainEngine::Console console, bool is_terminal)
        : console_(std::move(console)), is_terminal_(is_terminal) {}

    // Reads what was said before and shows its end.
    void replay(Replay how) {
        constexpr std::size_t kLines = 50;
        std::string recent;
        while (recent.size() < console_.recent) {
            std::array<char, 16384> buffer{};
            const auto wanted = std::min(buffer.size(), console_.recent - recent.size());
            const auto count = console_.read(std::span(buffer).first(wanted));
            if (count <= 0 && errno != EINTR)
                break;
            os::check_stop();
            if (count > 0)
                recent.append(buffer.data(), static_cast<std::size_t>(count));
        }
        show(how == Replay::all ? std::string_view(recent) : last_of(recent, kLines));
    }

    // As run_console().
    bool run() {
        const bool has_ended = pass_bytes();
        if (has_ended && console_.failure)
            if (const auto failure = console_.failure(); !failure.empty())
                throw error(ErrorKind::hypervisor, "cannot stay at the console: {}", failure);
        return has_ended;
    }

  private:
    bool pass_bytes() {
        for (;;) {
            std::array<pollfd, 3> waiting = {
                {{console_.stream.get(), static_cast<short>(POLLIN | (typed_.empty() ? 0 : POLLOUT)), 0},
                 {input_open_ && typed_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
                 {os::stop_fd(), POLLIN, 0}}};
            const int ready = ::poll(waiting.data(), waiting.size(), input_open_ || !typed_.empty() ? -1 : kSilence);
            os::check_stop();
            if (ready == 0)
                return false;
            if (waiting[0].revents & POLLOUT)
                send_typed();
            if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) && !show_some())
                return true;
            if (waiting[1].revents && !read_input())
                return false;
        }
    }

    static std::string_view last_of(std::string_view text, std::size_t lines) {
        auto start = text.size();
        for (std::size_t seen = 0; seen <= lines; ++seen) {
            const auto newline = start == 0 ? std::string_view::npos : text.rfind('\n', start - 1);
            if (newline == std::string_view::npos)
                return text;
            start = newline;
        }
        return text.substr(start + 1);
    }

    static void show(std::string_view data) { os::write_all(STDOUT_FILENO, data, "standard output"); }

    bool show_some() {
        std::array<char, 16384> buffer{};
        const auto count = console_.read(buffer);
        if (count > 0)
            show({buffer.data(), static_cast<std::size_t>(count)});
        return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
    }

    void send_typed() {
        const auto count = console_.write(typed_);
        if (count > 0)
            typed_.erase(0, static_cast<std::size_t>(count));
    }

    // False when Ctrl-] was typed.
    bool read_input() {
        std::array<char, 4096> buffer{};
        const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            return true;
        if (count <= 0) {
            input_open_ = false;
            return !is_terminal_;
        }
        std::string_view data(buffer.data(), static_cast<std::size_t>(count));
        const auto escape = is_terminal_ ? data.find(kEscape) : std::string_view::npos;
        if (console_.writable)
            typed_ += data.substr(0, escape);
        return escape == std::string_view::npos;
    }

    hypervisor::DomainEngine::Console console_;
    bool is_terminal_;
    bool input_open_ = true;
    std::string typed_;
};

}  // namespace

bool run_console(const hypervisor::DomainEngine& engine, const std::string& name, Replay replay) {
    auto console = engine.open_console(name, hypervisor::DomainEngine::ConsoleMode::write);
    const bool is_terminal = ::isatty(STDIN_FILENO) != 0;
    if (is_terminal)
        std::fputs(fmt::format("Connected to {}{}. Escape character is Ctrl-].\n", name,
                               console.writable ? "" : " (read-only: another console writes)")
                       .c_str(),
                   stderr);
    bool has_ended = false;
    {
        const RawTerminal raw;
        ConsoleSession session(std::move(console), raw.is_raw());
        session.replay(replay);
        has_ended = session.run();
    }
    if (is_terminal)
        std::fputs(has_ended ? "\n" : fmt::format("\nDetached; {} runs on.\n", name).c_str(), stderr);
    return has_ended;
}

}  // namespace vprov::cli
