#include <poll.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/engine/boot_diagnosis.h"
#include "hypervisor/engine/engine.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;

class LoginWatch {
  public:
    LoginWatch(const DomainEngine::Console& console, std::chrono::seconds most,
               const std::function<void(std::string_view)>& on_line)
        : console_(console), start_(Clock::now()), deadline_(start_ + most), most_(most), on_line_(on_line) {}

    LoginWait run() {
        for (;;) {
            const auto now = Clock::now();
            if (settled_at_ && now >= *settled_at_)
                return not_reached(cause());
            if (now >= deadline_)
                return not_reached(fmt::format("no login prompt within {} s: {}", most_.count(), cause()));
            if (!read_some(settled_at_ ? std::min(*settled_at_, deadline_) : deadline_))
                return not_reached(fmt::format("the domain has ended: {}", cause()));
            if (is_login_prompt(plain_console_text(line_)))
                return {true, seconds(), "", ""};
        }
    }

  private:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

    LoginWait not_reached(std::string cause) const {
        constexpr std::size_t kShown = 20;
        const auto end = text_ + plain_console_text(line_);
        return {false, seconds(), std::move(cause), std::string(last_lines(end, kShown))};
    }

    std::string cause() const {
        const auto all = text_ + plain_console_text(line_);
        if (const auto failure = diagnose_boot(all))
            return failure->cause;
        if (trimmed(all).empty())
            return "the console said nothing at all; the kernel may lack console=ttyS0 (in Xen hvc0), or not be one "
                   "for this machine";
        return "its console does not say why";
    }

    // False at the end of the console.
    bool read_some(Clock::time_point until) {
        std::array<pollfd, 2> waiting = {{{console_.stream.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
        os::check_stop();
        if (!waiting[0].revents)
            return true;
        std::array<char, 4096> buffer{};
        const auto count = console_.read(buffer);
        if (count > 0)
            take({buffer.data(), static_cast<std::size_t>(count)});
        return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
    }

    void take(std::string_view data) {
        constexpr std::size_t kKept = 512 << 10;
        line_ += data;
        for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
            const auto line = plain_console_text(std::string_view(line_).substr(0, end));
            line_.erase(0, end + 1);
            text_ += line + "\n";
            if (on_line_)
                on_line_(line);
        }
        if (text_.size() > 2 * kKept)
            text_.erase(0, text_.size() - kKept);
        if (!settled_at_)
            look_for_the_end();
    }

    // A final failure is followed by a few lines that help to understand it: they are waited for.
    void look_for_the_end() {
        constexpr auto kForTheRest = std::chrono::seconds(2);
        const auto failure = diagnose_boot(text_ + plain_console_text(line_));
        if (failure && failure->is_final)
            settled_at_ = Clock::now() + kForTheRest;
    }

    const DomainEngine::Console& console_;
    Clock::time_point start_, deadline_;
    std::chrono::seconds most_;
    const std::function<void(std::string_view)>& on_line_;
    std::string text_, line_;  // complete lines, plain; the line that is being written, raw
    std::optional<Clock::time_point> settled_at_;
};

}  // namespace

LoginWait DomainEngine::wait_for_login(const std::string& name, std::chrono::seconds most,
                                       const std::function<void(std::string_view line)>& on_line) const {
    const auto console = open_console(name, ConsoleMode::read);
    return LoginWatch(console, most, on_line).run();
}

}  // namespace vprov::hypervisor
