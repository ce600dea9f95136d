#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/tap.h"
#include "hypervisor/migrate/copied_files.h"
#include "hypervisor/migrate/migrate.h"
#include "hypervisor/migrate/streams.h"
#include "hypervisor/migrate/talk.h"
#include "hypervisor/save/begun.h"
#include "hypervisor/save/migration.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::uint64_t available_mib() {
    std::ifstream file("/proc/meminfo");
    std::string key;
    for (std::uint64_t kib = 0; file >> key;)
        if (key == "MemAvailable:" && file >> kib)
            return kib >> 10;
    return 0;
}

bool can_share(const RamFile& ram) {
    try {
        return ram.fd >= 0 && ram.qemu.boot_id == identify_process(::getpid()).boot_id &&
               GuestRam::of_other(ram).is_open();
    } catch (const Error&) {
        return false;
    }
}

void block_stop_signals() {
    sigset_t stops;
    sigemptyset(&stops);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stops, signal);
    pthread_sigmask(SIG_BLOCK, &stops, nullptr);
}

class Receiver {
  public:
    Receiver(const Domains& domains, std::string executable, Talk& talk, Streams& streams)
        : domains_(domains), executable_(std::move(executable)), talk_(talk), streams_(streams) {}

    void run() {
        offer_ = offer_from_json(talk_.hear("offer", 60s)["offer"]);
        if (offer_.method.empty() || offer_.method == name_of(Method::shared))
            shares_ = can_share(offer_.request.ram);
        check_host();
        CopiedFiles files(offer_);
        files.receive(talk_, streams_);
        auto [created, operation] = create(files.guest());
        Method method = Method::copy;
        {
            auto monitor = domains_.monitor(operation);
            check_qemu(monitor);
            method = choose(monitor);
            const auto state = streams_.open(kStateStream);
            begin_loading(monitor, state);
            files.open_disks(domains_, monitor, streams_);
            talk_.say({{"ready", name_of(method)}, {"warnings", created.warnings}});
            wait_until_loaded(monitor, stream_of(method), [this] { talk_.check(); });
            files.close_disks(monitor);
        }
        talk_.say({{"loaded", true}});
        talk_.hear("go", 60s);
        begin_to_run(operation);
        files.keep();  // nothing removes its disks any more
        talk_.say({{"running", true}});
        if (!offer_.copies.empty())
            domains_.record_change(name(), files.guest());
        if (method == Method::postcopy)
            wait_for_memory();
    }

  private:
    // It runs, and its pages come through this process.
    void wait_for_memory() const {
        auto monitor = domains_.monitor(name());
        while (monitor.execute("query-migrate").value("status", "") == "postcopy-active")
            std::this_thread::sleep_for(5ms);
    }

    const std::string& name() const { return offer_.request.guest.name; }

    // What can be known to be wrong before anything is started.
    void check_host() const {
        for (const auto& bridge : offer_.bridges)
            if (!bridge_exists(bridge))
                throw error(ErrorKind::hypervisor, "there is no bridge {} there (ip link add {} type bridge)",
                            quote(bridge), shell_quote(bridge));
        const auto needed = offer_.request.guest.memory_mib;
        if (const auto available = available_mib(); !shares_ && available < needed)
            throw error(ErrorKind::hypervisor, "it has {} MiB of memory, and {} are available there", needed,
                        available);
    }

    Provisional create(const Guest& guest) const {
        CreateOptions options{executable_, offer_.engine == "KVM" ? EngineChoice::kvm : EngineChoice::tcg, "/"};
        Arrival arrival;
        arrival.cpu_seconds = offer_.request.cpu_seconds;
        arrival.console = offer_.request.console;
        if (shares_)
            arrival.ram = offer_.request.ram;
        return domains_.create_incoming(guest, options, arrival, "migrate");
    }

    void check_qemu(Monitor& monitor) const {
        const auto own = query_qemu(monitor);
        if (own.machine != offer_.machine)
            throw error(ErrorKind::hypervisor, "its machine is {}, and {} there", offer_.machine, own.machine);
        if (offer_.engine != "KVM" && own.version != offer_.qemu)
            throw error(ErrorKind::hypervisor, "it runs in QEMU {}, and {} is there, whose processor may differ",
                        offer_.qemu, own.version);
    }

    Method choose(Monitor& monitor) const {
        MoveFacts facts;
        facts.is_kvm = offer_.engine == "KVM";
        facts.qemu = offer_.qemu;
        facts.shares_memory = shares_;
        facts.live = offer_.live;
        facts.has_userfaultfd = true;
        const auto end = offer_.runs ? StreamEnd::late_target : StreamEnd::target;
        const auto method = offer_.method.empty() ? choose_method(facts) : method_of(offer_.method);
        try {
            choose_stream(monitor, stream_of(method), end);
            return method;
        } catch (const Error&) {
            if (method != Method::postcopy)
                throw;
        }
        facts.has_userfaultfd = false;  // QEMU has tried it
        const auto other = choose_method(facts);
        choose_stream(monitor, stream_of(other), end);
        return other;
    }

    // Throws when it does not run, and never will.
    void begin_to_run(Operation& operation) {
        block_stop_signals();
        try {
            if (!offer_.runs)
                return operation.done();
            operation.run();
            wait_until_running();
        } catch (const Error&) {
            if (!has_begun_all_the_same(domains_, name(), offer_.runs ? Phase::running : Phase::paused))
                throw;
        }
        try {
            domains_.monitor(name()).execute("announce-self",
                                             {{"initial", 20}, {"max", 500}, {"rounds", 8}, {"step", 60}});
        } catch (const Error&) {
            return;  // switches learn from what it sends
        }
    }

    void wait_until_running() const {
        auto monitor = domains_.monitor(name());
        const auto deadline = Clock::now() + 5s;
        while (monitor.execute("query-status").value("status", "") != "running") {
            if (Clock::now() >= deadline) {
                monitor.execute("cont");  // for its reason: a disk that is not let go of, say
                throw Error(ErrorKind::hypervisor, "it does not begin to run there");
            }
            std::this_thread::sleep_for(1ms);
        }
    }

    const Domains& domains_;
    std::string executable_;
    Talk& talk_;
    Streams& streams_;
    Offer offer_;
    bool shares_ = false;
};

}  // namespace

void receive_domain(const Domains& domains, const std::string& executable, os::Fd in, os::Fd out) {
    Streams streams(std::move(in), std::move(out));
    Talk talk(streams.open(kTalkStream), "the source");
    try {
        Receiver(domains, executable, talk, streams).run();
    } catch (const Error& e) {
        try {
            talk.say({{"error", e.message()}});
        } catch (const Error&) {
            throw e;  // nobody hears it: the first one counts
        }
        throw;
    }
}

}  // namespace vprov::hypervisor
