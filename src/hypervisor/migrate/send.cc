#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/tap.h"
#include "hypervisor/migrate/copied_files.h"
#include "hypervisor/migrate/disk_mirrors.h"
#include "hypervisor/migrate/migrate.h"
#include "hypervisor/migrate/peer.h"
#include "hypervisor/migrate/talk.h"
#include "hypervisor/save/migration.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kConsole = 64 << 10;  // of what it has said goes along

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// A stop that is asked for between "go" and its answer would leave the domain in two halves.
class StopsLater {
  public:
    StopsLater() {
        sigset_t stops;
        sigemptyset(&stops);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stops, signal);
        pthread_sigmask(SIG_BLOCK, &stops, &before_);
    }
    ~StopsLater() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    StopsLater(const StopsLater&) = delete;
    StopsLater& operator=(const StopsLater&) = delete;

  private:
    sigset_t before_{};
};

std::string console_of(const Domains& domains, const std::string& name) {
    std::string said;
    try {
        said = os::read_file(domains.state().domain(name) / "console.log");
    } catch (const Error&) {
        return said;  // a disk that was full then
    }
    return said.size() <= kConsole ? said : said.substr(said.find('\n', said.size() - kConsole) + 1);
}

class Sender {
  public:
    Sender(const Domains& domains, std::string name, const MoveOptions& options)
        : domains_(domains),
          name_(std::move(name)),
          options_(options),
          peer_(options.receiver),
          talk_(peer_.streams().open(kTalkStream), options.target),
          operation_(domains.operate(name_, "migrate")) {}

    Moved run() {
        const auto start = Clock::now();
        offer();
        send_files(offer_, talk_, peer_.streams());
        const auto ready = talk_.hear("ready", 120s);
        moved_.method = method_of(ready.value("ready", ""));
        moved_.warnings = ready.value("warnings", moved_.warnings);
        {
            auto monitor = domains_.monitor(operation_);
            DiskMirrors mirrors(monitor);
            copy_disks(mirrors);
            send(monitor, mirrors);
            hand_over(monitor);
        }
        end_here();
        moved_.seconds = seconds_since(start);
        return moved_;
    }

    void tell(const std::string& cause) {
        try {
            talk_.say({{"error", cause}});
        } catch (const Error&) {
            return;  // it has gone
        }
    }

    bool has_handed_over() const { return handed_over_; }

    // Who supervises it may have died meanwhile; the next one has taken back what it knew of, and no more. Otherwise
    // dropping the operation does all this.
    void let_go_on() {
        const auto record = settled();
        if (!record || record->supervisor == supervisor_ || record->handed_over != HandOver::no)
            return;
        auto monitor = domains_.monitor(name_);
        if (runs_)
            resume_guest(monitor);
        else
            monitor.execute("migrate_cancel");
    }

  private:
    // What is known of it once a supervisor that took over has judged; nullopt: it is gone.
    std::optional<DomainRecord> settled() const {
        if (!domains_.is_running(name_))
            return std::nullopt;
        domains_.list();
        auto record = domains_.state().read(name_);
        const auto is_judging = [&] {
            return record && record->supervisor != supervisor_ &&
                   (!record->operation.empty() || record->phase == Phase::dying);
        };
        for (const auto deadline = Clock::now() + 15s; is_judging() && Clock::now() < deadline;) {
            std::this_thread::sleep_for(5ms);
            record = domains_.state().read(name_);
        }
        return record;
    }

    void end_here() {
        try {
            operation_.finish();
        } catch (const Error&) {
            if (settled())
                domains_.destroy(name_);  // its new supervisor cannot know that it runs there
        }
        domains_.wait_until_gone(name_, 15s);
    }

    void offer() {
        const auto record = domains_.state().read(name_);
        auto request = domains_.state().read_request(name_);
        if (!record || !request)
            throw Error(ErrorKind::hypervisor, "it has ended");
        auto& offer = offer_;
        supervisor_ = record->supervisor;
        offer.request = std::move(*request);
        if (options_.may_share)
            offer.request.ram = record->ram;
        offer.request.cpu_seconds = record->cpu_seconds_before + vcpu_usage(record->qemu.pid).seconds;
        offer.request.console = console_of(domains_, name_);
        offer.engine = record->engine.substr(0, record->engine.find(' '));
        offer.live = options_.live;
        offer.runs = runs_ = record->runs_after;
        for (const auto& vif : offer.request.guest.interfaces)
            if (!vif.bridge.empty() && bridge_exists(vif.bridge))
                offer.bridges.push_back(vif.bridge);
        if (options_.method)
            offer.method = name_of(*options_.method);
        auto monitor = domains_.monitor(name_);
        const auto version = query_qemu(monitor);
        offer.qemu = version.version;
        offer.machine = version.machine;
        if (options_.copies_disks)
            offer.copies = copies_of(offer.request.guest, monitor);
        offer.directory = options_.directory;
        talk_.say({{"offer", to_json(offer)}});
    }

    // While it runs.
    void copy_disks(DiskMirrors& mirrors) {
        auto number = kFirstDiskStream;
        for (const auto& copy : offer_.copies) {
            moved_.copied += copy.bytes;
            if (!copy.format.empty())
                mirrors.start(offer_.request.guest.disks[copy.disk].vdev, peer_.streams().open(number++),
                              fmt::format("disk{}", copy.disk));
        }
        if (number != kFirstDiskStream)
            mirrors.wait_until_near([this] { talk_.check(); });
    }

    void send(Monitor& monitor, DiskMirrors& mirrors) {
        const auto state = peer_.streams().open(kStateStream);
        const auto stream = stream_of(moved_.method);
        const auto check = [this] { talk_.check(); };
        choose_stream(monitor, stream, StreamEnd::source);
        const auto stand_still = [&] {
            stopped_ = Clock::now();
            if (stream != StateStream::live)
                stop_guest(monitor);
            mirrors.finish(check);
        };
        if (stream != StateStream::live)
            stand_still();
        begin_sending(monitor, state, stream);
        if (stream != StateStream::following)
            wait_until_sent(monitor, check, stand_still);
        while (!talk_.has_message()) {
            talk_.check();
            monitor.execute("query-status");  // whose end is an error
            std::this_thread::sleep_for(1ms);
        }
        talk_.hear("loaded", 1s);
    }

    void hand_over(Monitor& monitor) {
        wait_until_paused();
        const StopsLater later;
        os::check_stop();
        operation_.hand_over(moved_.method == Method::shared ? HandOver::sharing : HandOver::away);
        handed_over_ = true;
        try {
            talk_.say({{"go", true}});
            talk_.hear("running", 30s);
            moved_.standstill = runs_ ? seconds_since(stopped_) : 0;
        } catch (const Error& e) {
            return judge(e);
        }
        if (moved_.method == Method::postcopy)
            send_memory(monitor);
    }

    // It runs there, and needs what is still here.
    void send_memory(Monitor& monitor) const {
        try {
            wait_until_sent(monitor);
        } catch (const Error& e) {
            throw error(ErrorKind::hypervisor,
                        "{}. It ran there, and not all of its memory has followed it: it is lost, and what is left of "
                        "it here has to be ended with vprov destroy {}",
                        e.message(), name_);
        }
    }

    // The supervisor hears of the stop by itself.
    void wait_until_paused() const {
        const auto deadline = Clock::now() + 5s;
        for (auto record = domains_.state().read(name_); record && record->phase != Phase::paused;
             record = domains_.state().read(name_)) {
            if (Clock::now() >= deadline)
                throw Error(ErrorKind::hypervisor, "its supervisor does not answer");
            std::this_thread::sleep_for(1ms);
        }
    }

    // No word came that it runs. Returns when it does all the same.
    void judge(const Error& cause) {
        const bool certain = moved_.method == Method::shared || talk_.has_refused();
        if (!certain)
            throw error(
                ErrorKind::hypervisor,
                "{}. Whether it runs there is not known, so it is left paused here: if it does, end it here with "
                "vprov destroy {}; if it does not, let it go on with vprov unpause {}",
                cause.message(), name_, name_);
        try {
            operation_.take_back();
        } catch (const Error&) {
            const auto record = settled();
            const bool is_lost = record && record->supervisor != supervisor_;
            if (!is_lost && !talk_.has_refused()) {  // the lock is there
                moved_.warnings.push_back(fmt::format("its last answer was lost ({})", cause.message()));
                return;
            }
            if (is_lost && record->handed_over == HandOver::away && runs_) {
                auto monitor = domains_.monitor(name_);
                resume_guest(monitor);  // the other end has said that it does not run there
            }
        }
        handed_over_ = false;
        throw cause;
    }

    const Domains& domains_;
    std::string name_;
    const MoveOptions& options_;
    Offer offer_;
    Peer peer_;
    Talk talk_;
    Operation operation_;
    Moved moved_;
    Clock::time_point stopped_;
    ProcessIdentity supervisor_;  // when it began
    bool runs_ = true;
    bool handed_over_ = false;
};

}  // namespace

Moved move_domain(const Domains& domains, const std::string& name, const MoveOptions& options) {
    const auto domain = domains.find(name);
    bool goes_on = true;
    try {
        Sender sender(domains, domain.name, options);
        try {
            return sender.run();
        } catch (const Error& e) {
            goes_on = !sender.has_handed_over();
            sender.tell(e.message());
            if (goes_on)
                sender.let_go_on();
            throw;
        }
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(e.kind(), "cannot move {} to {}: {}{}", quote(domain.name), options.target, e.message(),
                    goes_on && domains.is_running(domain.name) ? "; it goes on here" : "");
    }
}

}  // namespace vprov::hypervisor
