#include "hypervisor/launch/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/engine/boot_diagnosis.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/cause_of_death.h"
#include "hypervisor/launch/claim.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/domain_socket.h"
#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/launch/kvm_probe.h"
#include "hypervisor/launch/lifecycle.h"
#include "hypervisor/launch/monitor.h"
#include "hypervisor/launch/operation_lease.h"
#include "hypervisor/launch/qemu_process.h"
#include "hypervisor/launch/qemu_start.h"
#include "hypervisor/launch/spawn_supervisor.h"
#include "hypervisor/launch/state_dir.h"
#include "hypervisor/launch/template_memory.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kStartTime = 60s;   // from exec to a running guest
constexpr auto kQuitTime = 10s;    // for QEMU to write back and end by itself
constexpr auto kResumeTime = 30s;  // for QEMU to wind up a migration
constexpr auto kRetry = 20ms;
constexpr auto kLateStop = 100ms;
constexpr auto kPoweroffTime = 60s;  // for the guest, when the supervisor is told to stop

class Supervisor : private DomainSocket::Service, private OperationLease::Run {
  public:
    Supervisor(const StateDir& state, LaunchRequest request, Claim claim, DomainSocket::Log log, os::Fd& channel)
        : state_(state),
          request_(std::move(request)),
          guest_(request_.guest),
          claim_(std::move(claim)),
          lifecycle_(guest_),
          channel_(channel),
          socket_(listen_at(directory(), "socket"), directory() / "console.log", log, *this) {}

    void run() {
        const auto engine = choose_engine(request_.engine);
        engine_ = engine.engine;
        claim_.record.engine = engine.description;
        socket_.said(std::exchange(request_.console, ""));
        launch();
        go_on_until_the_end();
    }

    void adopt() {
        engine_ = claim_.record.engine.starts_with("KVM") ? Engine::kvm : Engine::tcg;
        is_adopted_ = true;
        ram_ = GuestRam::of_adopted(claim_.record.ram);
        qemu_ = std::make_unique<QemuProcess>(claim_.record.qemu, directory());
        remark("a new supervisor has taken over");
        deadline_ = Clock::now() + kStartTime;
        go_on_until_the_end();
    }

  private:
    std::filesystem::path directory() const { return state_.domain(guest_.name); }

    void go_on_until_the_end() {
        try {
            while (!finished_) wait_and_handle();
        } catch (const Error& e) {
            if (channel_.is_open())
                throw;
            remark(e.message());
        }
        socket_.flush(1000);
    }

    void launch() {
        ram_ = GuestRam();
        auto shared = template_memory();
        if (!shared.fd().is_open() && (engine_ == Engine::tcg || request_.needs_ram_file))
            ram_ = memory();
        const auto file = shared.fd().is_open() ? MemoryFile{shared.fd().get(), false} : MemoryFile{ram_.fd().get()};
        auto start = prepare_qemu(request_, engine_, claim_.record.id, state_, file);
        warnings_ = std::move(start.warnings);
        files_ = std::move(start.files);
        next_.reset();
        reboots_ = is_adopted_ = is_resuming_ = false;
        if (std::exchange(is_orphaned_, false))
            claim_.record.operation.clear();
        claim_.record.phase = Phase::starting;
        deadline_ = Clock::now() + kStartTime;
        const auto inherited = start.inherited();
        qemu_ = std::make_unique<QemuProcess>(start.argv, inherited, std::move(start.channels), start.confinement,
                                              [&](const ProcessIdentity& identity) {
                                                  claim_.record.qemu = identity;
                                                  claim_.record.segments = start.networks;
                                                  claim_.record.ram = {identity, ram_.fd().get(), ram_.inode()};
                                                  claim_.record.template_memory = shared.in(identity);
                                                  claim_.save();
                                                  shared.release();
                                              });
    }

    // Of a clone, when it begins; when it is restarted it boots.
    TemplateMemory template_memory() {
        const auto file = std::exchange(request_.template_memory, "");
        return file.empty() ? TemplateMemory() : TemplateMemory(file, state_);
    }

    // QEMU 7.2's TCG loses pages that a busy guest writes while they are sent (fixed in 9.0): it can be moved while it
    // stands still only, which takes no time where its memory stays where it is. Costs nothing measurable in TCG; in
    // KVM it would cost huge pages.
    GuestRam memory() {
        const auto other = std::exchange(request_.ram, RamFile());
        return other.fd >= 0 ? GuestRam::of_other(other) : GuestRam::make(most_memory_mib(guest_));
    }

    void wait_and_handle() {
        std::vector<pollfd> polls = {{stopping_ ? -1 : os::stop_fd(), POLLIN, 0},   {qemu_->pidfd().get(), POLLIN, 0},
                                     {qemu_->complaints().get(), POLLIN, 0},        {qemu_->qmp().fd(), POLLIN, 0},
                                     {qemu_->console().get(), console_events(), 0}, {channel_.get(), 0, 0}};
        const auto own = polls.size();
        socket_.append_polls(polls);
        if (::poll(polls.data(), polls.size(), milliseconds_left()) < 0 && errno != EINTR)
            throw system_error(ErrorKind::internal, errno, "cannot wait for QEMU");
        if (polls[4].revents)
            pass_console(polls[4].revents);
        if (polls[2].revents)
            qemu_->read_complaints();
        socket_.handle(std::span(polls).subspan(own));
        if (polls[3].revents)
            for (const auto& message : qemu_->qmp().receive()) on_message(message);
        if (polls[5].revents && channel_.is_open())
            on_starter_gone();
        if (os::stop_requested() && !stopping_)
            stop();
        if (deadline_ && Clock::now() >= *deadline_)
            on_deadline();
        if (is_orphaned_ && !next_)
            take_back_when_let();
        if (is_resuming_ && !next_ && Clock::now() >= resume_at_)
            go_on_resuming();
        if (qemu_->ended())
            on_qemu_ended();
    }

    short console_events() { return static_cast<short>(POLLIN | (socket_.typed().empty() ? 0 : POLLOUT)); }

    int milliseconds_left() const {
        const int most = is_orphaned_ || is_resuming_ ? static_cast<int>(kRetry / 1ms) : -1;
        if (!deadline_)
            return most;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
        return static_cast<int>(std::clamp<long>(left, 0, most < 0 ? INT_MAX : most));
    }

    // Before it was told that the guest runs, or has begun to bring its state.
    void on_starter_gone() {
        channel_.reset();
        if (!is_adopted_)
            end_run(RunEnd::destroyed);
    }

    void pass_console(int events) {
        if (events & POLLOUT)
            qemu_->write_console(socket_.typed());
        if (const auto data = qemu_->read_console(); !data.empty())
            socket_.said(data);
    }

    void on_message(const nlohmann::json& message) {
        if (const auto event = message.value("event", ""); !event.empty())
            return on_event(event, message);
        const auto id = message.value("id", "");
        if (message.contains("QMP"))
            qemu_->qmp().execute("qmp_capabilities");
        else if (message.contains("error") && is_starting() && !is_adopted_)
            fail_start(message["error"].value("desc", "its monitor refuses to start the guest"));
        else if (id == "qmp_capabilities" && next_)
            qemu_->qmp().execute("quit");  // QEMU has refused the first one: it was not ready
        else if (id == "qmp_capabilities" && is_adopted_)
            qemu_->qmp().execute("query-status");
        else if (id == "qmp_capabilities")
            begin();
        else if (id == "query-status")
            on_status(message.value("/return/status"_json_pointer, ""));
        else if (id == "cont" && is_starting())
            on_running(Phase::running);
    }

    void begin() {
        if (guest_.maxmem_mib > guest_.memory_mib && !request_.incoming)
            qemu_->qmp().execute("balloon", {{"value", guest_.memory_mib << 20}});
        if (request_.incoming || request_.on_trial) {
            request_.incoming = request_.on_trial = false;  // a restart boots
            state_.write(request_);
            on_running(Phase::incoming);
        } else if (request_.paused)
            on_running(Phase::paused);
        else
            qemu_->qmp().execute("cont");
    }

    void on_event(std::string_view event, const nlohmann::json& message) {
        auto& phase = claim_.record.phase;
        if (event == "SHUTDOWN" && !next_) {
            const auto end = run_end(message.value("/data/reason"_json_pointer, ""));
            end_run(end == RunEnd::poweroff && reboots_ ? RunEnd::reboot : end);
        } else if (event == "GUEST_PANICKED") {
            end_run(RunEnd::crash);
        } else if (event == "BLOCK_IO_ERROR" && message.value("/data/action"_json_pointer, "") == "stop") {
            on_disk_error(message.value("/data/reason"_json_pointer, ""));
        } else if ((event == "STOP" && phase == Phase::running) || (event == "RESUME" && phase == Phase::paused)) {
            phase = event == "STOP" ? Phase::paused : Phase::running;
            claim_.record.handed_over = HandOver::no;
            if (event == "RESUME" && std::exchange(waits_for_room_, false))
                remark(fmt::format("{} {}", guest_.name, kHasRoom));
            claim_.save();
        }
    }

    // QEMU stops the guest where the host has no room for what it writes, and tries again when it goes on.
    void on_disk_error(std::string_view reason) {
        if (!std::exchange(waits_for_room_, true))
            remark(fmt::format("{0} {1} ({2}); when there is: vprov unpause {0}", guest_.name, kWaitsForRoom, reason));
    }

    // What has happened to the guest while nobody supervised it. Why it shut down is not known any more.
    void on_status(std::string_view status) {
        auto& record = claim_.record;
        deadline_.reset();
        tell({"", record.id, record.engine, {}});  // from here on nothing is missed
        channel_.reset();
        if (record.phase == Phase::starting || record.phase == Phase::dying)
            return end_run(RunEnd::destroyed);
        if (status == "shutdown")
            return end_run(RunEnd::poweroff);
        if (status == "guest-panicked")
            return end_run(RunEnd::crash);
        if (record.phase == Phase::incoming && status != "running")
            return end_run(RunEnd::destroyed);
        record.phase = status == "running" ? Phase::running : Phase::paused;
        is_orphaned_ = !record.operation.empty();
        waits_for_room_ = status == "io-error";
        claim_.save();
    }

    // The command of a supervisor that died may still be at the monitor; it finds out when it wants to end.
    void take_back_when_let() {
        if (!Monitor::is_free(directory()))
            return;
        is_orphaned_ = false;
        take_back_operation();
    }

    bool is_starting() const { return claim_.record.phase == Phase::starting; }

    void on_running(Phase phase) {
        claim_.record.phase = phase;
        claim_.save();
        if (!stopping_)
            deadline_.reset();
        if (channel_.is_open() && !tell({"", claim_.record.id, claim_.record.engine, warnings_}))
            on_starter_gone();
        if (phase != Phase::incoming)
            channel_.reset();
    }

    bool tell(const LaunchAnswer& answer) {
        try {
            os::write_all(channel_.get(), to_json(answer), "the answer");
            return true;
        } catch (const Error&) {
            return false;  // who asked has gone
        }
    }

    [[noreturn]] void fail_start(std::string_view cause) {
        throw error(ErrorKind::hypervisor, "cannot start {}: {}", quote(guest_.name), cause);
    }

    // The run is over for the guest; QEMU is still there, paused.
    void end_run(RunEnd end) {
        if (end != RunEnd::destroyed && (next_ || claim_.record.phase == Phase::crashed))
            return;
        auto decision = lifecycle_.after(end, Clock::now());
        if (stopping_)
            decision = {NextStep::finish, ""};
        remark(fmt::format("{} {}", guest_.name, described(end)));
        if (!decision.remark.empty())
            remark(decision.remark);
        if (decision.step == NextStep::keep) {
            claim_.record.phase = end == RunEnd::crash ? Phase::crashed : Phase::shutdown;
            claim_.save();
            return;
        }
        claim_.record.phase = Phase::dying;
        if (!next_)
            claim_.record.cpu_seconds_before += vcpu_usage(qemu_->identity().pid).seconds;
        claim_.save();
        next_ = decision.step;
        deadline_ = Clock::now() + kQuitTime;
        qemu_->qmp().execute("quit");
    }

    void on_deadline() {
        if (is_starting() && !next_)
            fail_start(fmt::format("QEMU does not answer within {} s", kStartTime.count()));
        if (next_)
            qemu_->kill();
        else
            end_run(RunEnd::destroyed);
        deadline_ = Clock::now() + kQuitTime;
    }

    void on_qemu_ended() {
        qemu_->read_complaints();
        for (auto data = qemu_->read_console(); !data.empty(); data = qemu_->read_console()) socket_.said(data);
        if (channel_.is_open() && is_starting())
            fail_start(cause_of_death(guest_.name, files_, qemu_->complaint(), state_));
        if (!next_) {
            remark("QEMU has ended: " + cause_of_death(guest_.name, files_, qemu_->complaint(), state_));
            next_ = lifecycle_.after(RunEnd::crash, Clock::now()).step;
        }
        if (*next_ == NextStep::restart && !stopping_)
            restart();
        else
            finished_ = true;
    }

    void restart() {
        try {
            claim_.take_new_id();
            launch();
        } catch (const Error& e) {
            remark(e.message());
            finished_ = true;
        }
    }

    std::string answer(std::string_view request) override {
        const auto space = std::min(request.find(' '), request.size());
        const auto verb = request.substr(0, space);
        const auto rest = trimmed(request.substr(space));
        const bool is_there = claim_.record.phase == Phase::running || claim_.record.phase == Phase::paused;
        try {
            if (verb == "destroy")
                return destroy();
            if (verb == "guest" && (is_there || claim_.record.phase == Phase::incoming))
                return change_guest(request_from_json(rest).guest);
            if (!is_there)
                return "error it does not run";
            if (verb == "pause") {
                is_resuming_ = false;  // who asks for it does the rest
                return "ok";
            }
            if (verb == "shutdown" || verb == "reboot")
                return press_power_button(verb);
            if (verb == "rename")
                return rename(std::string(rest));
        } catch (const Error& e) {
            return fmt::format("error {}", e.message());
        }
        return "error this request is not known";
    }

    std::string destroy() {
        stopping_ = true;
        end_run(RunEnd::destroyed);
        return "ok";
    }

    std::string press_power_button(std::string_view verb) {
        if (claim_.record.phase == Phase::paused)
            return "error it is paused";
        reboots_ = verb == "reboot";  // to the guest both are the same
        qemu_->qmp().execute("system_powerdown");
        return "ok";
    }

    std::string rename(const std::string& name) {
        if (!is_valid_guest_name(name))
            return "error letters, digits and . _ + - only";
        claim_.rename(name);
        request_.guest.name = name;
        state_.write(request_);
        socket_.move_log(directory() / "console.log");
        return "ok";
    }

    // Devices or sizes have changed: what a restart gives it, and what is known of it.
    std::string change_guest(Guest guest) {
        guest.name = guest_.name;
        request_.guest = std::move(guest);
        state_.write(request_);
        auto& record = claim_.record;
        record.memory_mib = guest_.memory_mib;
        record.vcpus = guest_.vcpus;
        record.disks.clear();
        for (const auto& disk : guest_.disks) record.disks.push_back(disk.target);
        claim_.save();
        return "ok";
    }

    std::string begin_operation(std::string_view what) override {
        auto answer = operation_.begin(what);
        if (answer == "ok" && std::exchange(is_resuming_, false)) {
            claim_.record.runs_after = true;
            claim_.save();
        }
        if (answer == "ok" && claim_.record.phase == Phase::incoming)
            channel_.reset();  // from here on it is the operation that ends with who asked
        return answer;
    }
    std::string go_on(std::string_view line) override { return operation_.go_on(line); }
    void take_back_operation() override { operation_.take_back(); }

    // Asked for until it runs: QEMU refuses it until it has wound up its migration, also one that was cancelled, and a
    // stop that the killed command has asked for may come after it.
    void resume() override {
        is_resuming_ = true;
        resume_at_ = resuming_since_ = Clock::now();
    }

    void go_on_resuming() {
        const auto phase = claim_.record.phase;
        resume_at_ = Clock::now() + kRetry;
        is_resuming_ = (phase == Phase::paused && resume_at_ < resuming_since_ + kResumeTime) ||
                       (phase == Phase::running && resume_at_ < resuming_since_ + kLateStop);
        if (is_resuming_)
            qemu_->qmp().execute("cont");
    }

    void execute(std::string_view command) override { qemu_->qmp().execute(command); }
    void end() override { destroy(); }
    bool is_ending() const override { return next_.has_value(); }
    void remark(std::string_view text) override { socket_.said(fmt::format("\r\n[{}]\r\n", text)); }

    void stop() {
        stopping_ = true;
        qemu_->qmp().execute("system_powerdown");
        deadline_ = Clock::now() + kPoweroffTime;
    }

    const StateDir& state_;
    LaunchRequest request_;
    const Guest& guest_;
    Claim claim_;
    Lifecycle lifecycle_;
    os::Fd& channel_;  // open until the answer is given
    DomainSocket socket_;
    Engine engine_ = Engine::tcg;
    std::vector<std::string> warnings_;
    std::vector<OpenFile> files_;  // what QEMU's words for its disks stand for
    GuestRam ram_;                 // not open: QEMU's own
    OperationLease operation_{claim_, ram_, *this};
    std::unique_ptr<QemuProcess> qemu_;
    std::optional<NextStep> next_;  // decided: QEMU is on its way out
    std::optional<Clock::time_point> deadline_;
    bool is_adopted_ = false;
    bool is_resuming_ = false;
    Clock::time_point resume_at_, resuming_since_;
    bool is_orphaned_ = false;  // an operation of the supervisor before is not taken back yet
    bool waits_for_room_ = false;
    bool reboots_ = false;   // a shutdown that comes now was asked for as a reboot
    bool stopping_ = false;  // no restart any more
    bool finished_ = false;
};

void adopt_domain(const StateDir& state, const std::string& name, os::Fd& channel) {
    auto claim = Claim::adopt(state, name);
    if (!claim)
        return;  // somebody else has, or it has ended
    auto request = state.read_request(name);
    if (!request)
        throw error(ErrorKind::hypervisor, "cannot adopt {}: what it was started with is not known", quote(name));
    Supervisor(state, std::move(*request), std::move(*claim), DomainSocket::Log::continue_, channel).adopt();
}

}  // namespace

void run_supervisor(const std::filesystem::path& state_root, const std::string& name) {
    os::Fd channel(kLaunchChannel);
    if (::fcntl(channel.get(), F_SETFD, FD_CLOEXEC) != 0)
        throw error(ErrorKind::usage, "cannot supervise {}: only 'vprov create' starts a supervisor", quote(name));
    os::catch_stop_signals();
    leave_starter_behind();
    try {
        const StateDir state(state_root);
        auto request = request_from_json(os::read_file(channel, "the order"));
        if (request.adopt)
            return adopt_domain(state, name, channel);
        Claim claim(state, request);
        Supervisor(state, std::move(request), std::move(claim), DomainSocket::Log::begin, channel).run();
    } catch (const Error& e) {
        const auto answer = to_json(LaunchAnswer{e.message(), 0, "", {}});
        if (channel.is_open())
            ::send(channel.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
}

}  // namespace vprov::hypervisor
