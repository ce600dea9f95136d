#include "hypervisor/launch/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/domain_socket.h"
#include "hypervisor/launch/kvm_probe.h"
#include "hypervisor/launch/lifecycle.h"
#include "hypervisor/launch/preflight.h"
#include "hypervisor/launch/qemu_process.h"
#include "hypervisor/launch/state_dir.h"
#include "hypervisor/launch/tap.h"
#include "hypervisor/launch/uefi_firmware.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kStartTime = 60s;     // from exec to a running guest
constexpr auto kQuitTime = 10s;      // for QEMU to write back and end by itself
constexpr auto kPoweroffTime = 60s;  // for the guest, when the supervisor is told to stop

// The name, the id and the directory of a domain, from the moment they are taken until it is gone.
class Claim {
  public:
    Claim(const StateDir& state, const LaunchRequest& request) : state_(state) {
        const Guest& guest = request.guest;
        const auto all = state_.lock();
        refuse_if_taken(guest.name);
        state_.remove(guest.name);
        if (::mkdir(state_.domain(guest.name).c_str(), 0700) != 0)
            throw system_error(ErrorKind::hypervisor, errno,
                               "cannot make " + quote(state_.domain(guest.name).native()));
        lock_.emplace(state_.lock_file(guest.name), os::FileLock::Mode::exclusive);
        record.name = guest.name;
        record.memory_mib = guest.memory_mib;
        record.vcpus = guest.vcpus;
        for (const auto& disk : guest.disks) record.disks.push_back(disk.target);
        record.supervisor = identify_process(::getpid());
        record.id = state_.take_id();
        save();
    }
    ~Claim() {
        try {
            const auto all = state_.lock();
            state_.remove(record.name);
        } catch (const Error&) {
            // asked to stop while waiting: the next command finds the lock free and removes what is left
        }
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    void save() const { state_.write(record); }
    void take_new_id() {
        const auto all = state_.lock();
        record.id = state_.take_id();
    }

    DomainRecord record;

  private:
    void refuse_if_taken(const std::string& name) const {
        const auto old = state_.read(name);
        if (state_.is_supervised(name))
            throw error(ErrorKind::hypervisor, "cannot create {}: a domain of that name is running{}", quote(name),
                        old ? fmt::format(" (id {})", old->id) : "");
        if (old && is_alive(old->qemu))
            throw error(
                ErrorKind::hypervisor,
                "cannot create {0}: a QEMU of that name (process {1}) has outlived its supervisor; end it with: "
                "vprov destroy {2}",
                quote(name), old->qemu.pid, name);
    }

    const StateDir& state_;
    std::optional<os::FileLock> lock_;
};

class Supervisor {
  public:
    Supervisor(const StateDir& state, LaunchRequest request, os::Fd& channel)
        : state_(state),
          request_(std::move(request)),
          guest_(request_.guest),
          claim_(state_, request_),
          lifecycle_(guest_),
          channel_(channel),
          socket_(listen_at(directory(), "socket"), directory() / "console.log",
                  [this](std::string_view asked) { return answer(asked); }) {}

    void run() {
        const auto engine = choose_engine(request_.engine);
        engine_ = engine.engine;
        claim_.record.engine = engine.description;
        launch();
        try {
            while (!finished_) wait_and_handle();
        } catch (const Error& e) {
            if (channel_.is_open())
                throw;
            remark(e.message());
        }
        socket_.flush(1000);
    }

  private:
    std::filesystem::path directory() const { return state_.domain(guest_.name); }

    void launch() {
        auto channels = make_qemu_channels(directory());
        QemuHost host;
        host.engine = engine_;
        host.qmp_fd = channels.qmp_listening.get();
        host.console_fd = channels.console_listening.get();
        host.disk_is_device = disks_on_devices(guest_);
        set_firmware(host);
        std::vector<int> inherited = {host.qmp_fd, host.console_fd};
        const auto password = vnc_password();
        if (password.is_open())
            inherited.push_back(host.vnc_password_fd = password.get());
        std::vector<os::Fd> taps;
        warnings_.clear();
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i) {
            auto side = connect_interface(guest_.interfaces[i], fmt::format("vif{}.{}", claim_.record.id, i));
            if (!side.warning.empty())
                warnings_.push_back(side.warning);
            host.tap_fds.push_back(side.tap.is_open() ? std::optional(side.tap.get()) : std::nullopt);
            if (side.tap.is_open())
                inherited.push_back(side.tap.get());
            taps.push_back(std::move(side.tap));
        }
        next_.reset();
        claim_.record.phase = Phase::starting;
        deadline_ = Clock::now() + kStartTime;
        qemu_ = std::make_unique<QemuProcess>(qemu_argv(guest_, host), inherited, std::move(channels),
                                              [this](const ProcessIdentity& identity) {
                                                  claim_.record.qemu = identity;
                                                  claim_.save();
                                              });
    }

    // In memory, for QEMU to read; not open when VNC asks for none.
    os::Fd vnc_password() const {
        if (!guest_.vnc || guest_.vncpasswd.value_or("").empty())
            return {};
        os::Fd fd(::memfd_create("vnc-password", MFD_CLOEXEC));
        if (!fd.is_open())
            throw system_error(ErrorKind::hypervisor, errno, "cannot hold the VNC password");
        os::write_all(fd.get(), *guest_.vncpasswd, "the VNC password");
        return fd;
    }

    void set_firmware(QemuHost& host) const {
        const auto uefi = guest_.firmware == Firmware::uefi ? find_uefi_firmware() : std::nullopt;
        if (!uefi)
            return;
        host.uefi_code = uefi->code;
        host.uefi_variables = own_variables(*uefi, directory());
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
        if (polls[5].revents)
            end_run(RunEnd::destroyed);  // who asked for the domain went away before it ran
        if (os::stop_requested() && !stopping_)
            stop();
        if (deadline_ && Clock::now() >= *deadline_)
            on_deadline();
        if (qemu_->ended())
            on_qemu_ended();
    }

    short console_events() { return static_cast<short>(POLLIN | (socket_.typed().empty() ? 0 : POLLOUT)); }

    int milliseconds_left() const {
        if (!deadline_)
            return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
        return left > 0 ? static_cast<int>(left) : 0;
    }

    void pass_console(int events) {
        if (events & POLLOUT)
            qemu_->write_console(socket_.typed());
        if (const auto data = qemu_->read_console(); !data.empty())
            socket_.said(data);
    }

    void on_message(const nlohmann::json& message) {
        const auto id = message.value("id", "");
        if (message.contains("QMP"))
            qemu_->qmp().execute("qmp_capabilities");
        else if (message.contains("error") && is_starting())
            fail_start(message["error"].value("desc", "its monitor refuses to start the guest"));
        else if (id == "qmp_capabilities")
            qemu_->qmp().execute("cont");
        else if (id == "cont" && is_starting())
            on_running();
        else if (const auto event = message.value("event", ""); event == "SHUTDOWN" && !next_)
            end_run(run_end(message.value("/data/reason"_json_pointer, "")));
        else if (event == "GUEST_PANICKED")
            end_run(RunEnd::crash);
    }

    bool is_starting() const { return claim_.record.phase == Phase::starting; }

    void on_running() {
        claim_.record.phase = Phase::running;
        claim_.save();
        if (!stopping_)
            deadline_.reset();
        if (channel_.is_open())
            tell({"", claim_.record.id, claim_.record.engine, warnings_});
    }

    void tell(const LaunchAnswer& answer) {
        try {
            os::write_all(channel_.get(), to_json(answer), "the answer");
        } catch (const Error&) {
            // who asked has gone; the domain runs all the same
        }
        channel_.reset();
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

    void remark(std::string_view text) { socket_.said(fmt::format("\r\n[{}]\r\n", text)); }

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
            fail_start(cause_of_death());
        if (!next_) {
            remark("QEMU has ended: " + cause_of_death());
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

    std::string cause_of_death() const {
        const auto& said = qemu_->complaint();
        if (said.find(" lock") != std::string::npos &&
            said.find("Is another process using the image") != std::string::npos)
            return disk_in_use(said);
        const auto lines = trimmed(last_lines(said, 5));
        return lines.empty() ? "QEMU ended without a word" : fmt::format("QEMU said:\n{}", lines);
    }

    std::string disk_in_use(std::string_view said) const {
        for (const auto& disk : guest_.disks) {
            if (disk.target.empty() || said.find(fmt::format("[{}]", disk.target)) == std::string_view::npos)
                continue;
            for (const auto& name : state_.names()) {
                const auto other = name == guest_.name ? std::nullopt : state_.read(name);
                if (other && std::find(other->disks.begin(), other->disks.end(), disk.target) != other->disks.end())
                    return fmt::format("its disk {} is in use by the domain {}", quote(disk.target), quote(name));
            }
            return fmt::format("its disk {} is in use by another process", quote(disk.target));
        }
        return "one of its disks is in use by another process";
    }

    std::string answer(std::string_view request) {
        if (request == "destroy") {
            stopping_ = true;
            end_run(RunEnd::destroyed);
            return "ok";
        }
        if (request != "shutdown")
            return "error this request is not known";
        if (claim_.record.phase != Phase::running)
            return "error it does not run";
        qemu_->qmp().execute("system_powerdown");
        return "ok";
    }

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
    std::unique_ptr<QemuProcess> qemu_;
    std::optional<NextStep> next_;  // decided: QEMU is on its way out
    std::optional<Clock::time_point> deadline_;
    bool stopping_ = false;  // no restart any more
    bool finished_ = false;
};

// Nothing of who started it stays open: a pipe of a CI job that is held open would keep the job waiting.
void leave_everything_behind() {
    std::vector<int> open;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none))
        open.push_back(std::stoi(entry.path().filename().native()));
    for (const int fd : open)
        if (fd > kLaunchChannel)
            ::close(fd);
    ::umask(0077);
    if (::chdir("/") != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot change to '/'");
}

}  // namespace

void run_supervisor(const std::filesystem::path& state_root, const std::string& name) {
    os::Fd channel(kLaunchChannel);
    if (::fcntl(channel.get(), F_SETFD, FD_CLOEXEC) != 0)
        throw error(ErrorKind::usage, "cannot supervise {}: only 'vprov create' starts a supervisor", quote(name));
    leave_everything_behind();
    os::catch_stop_signals();
    try {
        const StateDir state(state_root);
        Supervisor(state, request_from_json(os::read_file(channel, "the order")), channel).run();
    } catch (const Error& e) {
        const auto answer = to_json(LaunchAnswer{e.message(), 0, "", {}});
        if (channel.is_open())
            ::send(channel.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
}

}  // namespace vprov::hypervisor
