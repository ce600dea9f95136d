#include "hypervisor/launch/domains.h"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_json.h"
#include "hypervisor/launch/interface_limits.h"
#include "hypervisor/launch/preflight.h"
#include "hypervisor/launch/spawn_supervisor.h"
#include "hypervisor/launch/supervisor_answers.h"
#include "os/command.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

LaunchRequest order_for(const Guest& guest, const CreateOptions& options) {
    LaunchRequest order;
    order.guest = guest;
    order.engine = options.engine;
    order.paused = options.paused;
    order.sandbox = options.sandbox;
    order.needs_ram_file = options.memory_file;
    return order;
}

std::string state_letters(const DomainRecord& record, bool busy) {
    std::string letters = "------";
    switch (record.phase) {
        case Phase::running:
            letters[busy ? 0 : 1] = busy ? 'r' : 'b';
            break;
        case Phase::starting:  // as xl shows a domain that is being built
        case Phase::incoming:
        case Phase::paused:
            letters[2] = 'p';
            break;
        case Phase::shutdown:
            letters[3] = 's';
            break;
        case Phase::crashed:
            letters[4] = 'c';
            break;
        case Phase::dying:
            letters[5] = 'd';
            break;
    }
    return letters;
}

}  // namespace

CreatedDomain Domains::create(const Guest& guest, const CreateOptions& options) const {
    return start(order_for(guest, options), options).created;
}

Provisional Domains::create_incoming(const Guest& guest, const CreateOptions& options, const Arrival& arrival,
                                     std::string_view what) const {
    auto order = order_for(guest, options);
    order.incoming = true;
    order.ram = arrival.ram;
    order.template_memory = arrival.template_memory;
    order.cpu_seconds = arrival.cpu_seconds;
    order.console = arrival.console;
    return start_provisional(std::move(order), options, what);
}

Provisional Domains::create_on_trial(const Guest& guest, const CreateOptions& options, std::string_view what) const {
    auto order = order_for(guest, options);
    order.on_trial = true;
    return start_provisional(std::move(order), options, what);
}

Provisional Domains::start_provisional(LaunchRequest order, const CreateOptions& options, std::string_view what) const {
    auto started = start(std::move(order), options);
    auto operation = operate(started.created.name, what);
    return {std::move(started.created), std::move(operation)};
}

Domains::Started Domains::start(LaunchRequest order, const CreateOptions& options) const {
    const auto& guest = order.guest;
    if (!is_valid_guest_name(guest.name))
        throw error(ErrorKind::hypervisor, "cannot create a domain named {}: letters, digits and . _ + - only",
                    quote(guest.name));
    if (!os::program_exists("qemu-system-x86_64"))
        throw error(ErrorKind::hypervisor, "cannot start {}: QEMU is not installed (apt install qemu-system-x86)",
                    quote(guest.name));
    auto prepared = prepare_guest(guest, options.folder);
    auto channel = spawn_supervisor({options.executable, "supervise", state_.root().native(), guest.name});
    std::string text;
    try {
        order.guest = std::move(prepared.guest);
        text = give_order(channel, order);
    } catch (Error& e) {
        e.add_context(fmt::format("cannot start {}", quote(guest.name)));
        throw;
    }
    if (text.empty()) {
        end_processes_of(guest.name);  // a QEMU that it may have started
        throw error(ErrorKind::hypervisor, "cannot start {}: its supervisor {} has ended without an answer",
                    quote(guest.name), quote(options.executable));
    }
    auto answer = answer_from_json(text);
    if (!answer.error.empty())
        throw Error(ErrorKind::hypervisor, answer.error);
    CreatedDomain created{guest.name, answer.id, answer.engine, std::move(prepared.warnings)};
    created.warnings.insert(created.warnings.end(), answer.warnings.begin(), answer.warnings.end());
    return {std::move(created), std::move(channel)};
}

std::optional<DomainInfo> Domains::inspect(const std::string& name) const {
    const bool supervised = state_.is_supervised(name);
    const auto record = state_.read(name);
    const bool lives = supervised || (record && is_alive(record->qemu));
    if (!lives) {
        state_.remove(name);
        remove_stale_limits(state_.limits());
        return std::nullopt;
    }
    if (!record)
        return std::nullopt;  // its directory is there, and nothing is known yet
    DomainInfo info{record->name,   record->id, record->memory_mib, record->vcpus, "", record->cpu_seconds_before,
                    record->engine, supervised};
    VcpuUsage usage;
    if (record->phase != Phase::dying && is_alive(record->qemu))
        usage = vcpu_usage(record->qemu.pid);
    info.cpu_seconds += usage.seconds;
    info.state = state_letters(*record, usage.busy);
    return info;
}

// A supervisor of this program's is started for each; it finds out what has happened meanwhile.
void Domains::adopt_orphans() const {
    std::vector<std::string> orphans;
    {
        const auto all = state_.lock();
        for (const auto& name : state_.names())
            if (const auto record = state_.read(name); record && !state_.is_supervised(name) && is_alive(record->qemu))
                orphans.push_back(name);
    }
    for (const auto& name : orphans) {
        std::error_code none;
        const auto executable = std::filesystem::read_symlink("/proc/self/exe", none).native();
        const auto channel = spawn_supervisor({executable, "supervise", state_.root().native(), name});
        LaunchRequest request;
        request.guest.name = name;
        request.adopt = true;
        os::send_all(channel, to_json(request), "the order to the supervisor", ErrorKind::hypervisor);
        ::shutdown(channel.get(), SHUT_WR);
        read_to_end(channel, 10s, "the supervisor");
    }
}

std::vector<DomainInfo> Domains::list() const {
    adopt_orphans();
    const auto all = state_.lock();
    std::vector<DomainInfo> domains;
    for (const auto& name : state_.names())
        if (auto info = inspect(name))
            domains.push_back(std::move(*info));
    remove_stale_limits(state_.limits());  // whose supervisor died between its domain and them
    std::sort(domains.begin(), domains.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return domains;
}

bool Domains::is_running(const std::string& name) const {
    const auto all = state_.lock();
    return is_valid_guest_name(name) && std::filesystem::exists(state_.domain(name)) && inspect(name).has_value();
}

void Domains::request(const std::string& name, std::string_view what, std::string_view detail) const {
    const auto socket = connect_to(state_.domain(name), "socket");
    os::send_all(socket, fmt::format("{}{}{}\n", what, detail.empty() ? "" : " ", detail), "a request",
                 ErrorKind::hypervisor);
    const auto answer =
        std::string(trimmed(read_to_end(socket, 10s, fmt::format("the supervisor of {}", quote(name)))));
    if (answer != "ok")
        throw error(ErrorKind::hypervisor, "cannot {} {}: {}", what, quote(name),
                    answer.starts_with("error ") ? answer.substr(6) : "its supervisor has ended");
}

DomainInfo Domains::supervised(const std::string& name, std::string_view verb) const {
    auto domain = find(name);
    if (!domain.supervised)
        throw error(ErrorKind::hypervisor,
                    "cannot {0} {1}: its supervisor has died; end the domain with: vprov destroy {2}", verb,
                    quote(domain.name), domain.name);
    return domain;
}

void Domains::shutdown(const std::string& name) const {
    request(supervised(name, "shut down").name, "shutdown");
}

void Domains::reboot(const std::string& name) const {
    request(supervised(name, "reboot").name, "reboot");
}

void Domains::rename(const std::string& name, const std::string& new_name) const {
    request(supervised(name, "rename").name, "rename", new_name);
}

void Domains::pause(const std::string& name) const {
    request(supervised(name, "pause").name, "pause");  // what it has to take back would let the guest run
    const auto domain = find(name);
    if (domain.state[2] != 'p')
        monitor(domain.name).execute("stop");
    wait_for_pause(domain.name, true);
}

void Domains::unpause(const std::string& name) const {
    const auto domain = supervised(name, "unpause");
    const auto record = state_.read(domain.name);
    if (domain.state[2] != 'p' || (record && record->phase == Phase::starting))
        throw error(ErrorKind::hypervisor, "cannot unpause {}: it is not paused", quote(domain.name));
    if (record && !record->operation.empty())
        throw error(ErrorKind::hypervisor, "cannot unpause {}: another command is at it ({})", quote(domain.name),
                    record->operation);
    monitor(domain.name).execute("cont");
    wait_for_pause(domain.name, false);
}

// QEMU has done it; its supervisor hears of it.
void Domains::wait_for_pause(const std::string& name, bool paused) const {
    const auto deadline = Clock::now() + 5s;
    for (auto record = state_.read(name); record && (record->phase == Phase::paused) != paused;
         record = state_.read(name)) {
        os::check_stop();
        if (Clock::now() >= deadline)
            throw error(ErrorKind::hypervisor, "the supervisor of {} does not answer", quote(name));
        std::this_thread::sleep_for(2ms);
    }
}

Guest Domains::configuration(const std::string& name) const {
    const auto domain = find(name);
    const auto request = state_.read_request(domain.name);
    if (!request)
        throw error(ErrorKind::hypervisor, "cannot read what {} was started with", quote(domain.name));
    return request->guest;
}

std::string Domains::configuration_json(const DomainInfo& domain) const {
    return guest_json(configuration(domain.name));
}

void Domains::record_change(const std::string& name, const Guest& guest) const {
    auto text = to_json(LaunchRequest{guest});
    std::erase(text, '\n');  // between JSON's words; in strings it is escaped
    request(supervised(name, "change").name, "guest", text);
}

Monitor Domains::monitor(const std::string& name) const {
    const auto domain = supervised(name, "reach the monitor of");
    return {state_.domain(domain.name), domain.name};
}

// The supervisor may have died since the operation began, and its successor may have taken it back: asked for once the
// turn is taken, for from then on a successor waits.
Monitor Domains::monitor(Operation& operation) const {
    Monitor monitor(state_.domain(operation.domain_), operation.domain_);
    operation.still_stands();
    return monitor;
}

Operation Domains::operate(const std::string& name, std::string_view what) const {
    const auto domain = supervised(name, what);
    Operation operation(connect_to(state_.domain(domain.name), "socket"), domain.name);
    operation.say(fmt::format("operate {}", what));
    return operation;
}

void Operation::done() {
    say("done");
    socket_.reset();
}

void Operation::run() {
    say("run");
    socket_.reset();
}

void Operation::finish() {
    say("finish");
    socket_.reset();
}

void Operation::try_run() {
    say("try");
}

void Operation::still_stands() {
    say("still");
}

void Operation::hand_over(HandOver how) {
    say(how == HandOver::sharing ? "hand-over sharing" : "hand-over away");
}

void Operation::take_back() {
    say("take-back");
}

void Operation::say(std::string_view line) {
    os::send_all(socket_, fmt::format("{}\n", line), "a request", ErrorKind::hypervisor);
    const auto answer = read_line(socket_, 10s, fmt::format("the supervisor of {}", quote(domain_)));
    if (answer != "ok")
        throw error(ErrorKind::hypervisor, "cannot go on with {}: {}", quote(domain_),
                    answer.starts_with("error ") ? answer.substr(6) : "its supervisor has ended");
}

void Domains::destroy(const std::string& name) const {
    const auto domain = find(name);
    if (domain.supervised) {
        try {
            request(domain.name, "destroy");
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;  // else it may have ended before it could answer: what it left is looked at below
        }
        if (is_ended_by_its_supervisor(domain.name, 15s))
            return;
    }
    end_processes_of(domain.name);
}

bool Domains::is_ended_by_its_supervisor(const std::string& name, std::chrono::milliseconds most) const {
    const auto is_supervised = [&] {
        const auto all = state_.lock();
        return state_.is_supervised(name);
    };
    for (const auto deadline = Clock::now() + most; is_running(name); std::this_thread::sleep_for(10ms)) {
        if (!is_supervised() || Clock::now() >= deadline)
            return !is_running(name);
        os::check_stop();
    }
    return true;
}

void Domains::end_processes_of(const std::string& name) const {
    constexpr auto kMostTime = 15s;
    const auto record = state_.read(name);
    if (!record)
        return;
    for (const auto& process : {record->supervisor, record->qemu}) {
        const auto pidfd = open_process(process);
        if (!pidfd.is_open())
            continue;
        send_signal(pidfd, SIGKILL);
        if (!wait_for_end(pidfd, kMostTime))
            throw error(ErrorKind::hypervisor, "cannot destroy {}: process {} does not end", quote(name), process.pid);
    }
    const auto all = state_.lock();
    inspect(name);  // removes what the dead have left
}

bool Domains::wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const {
    const auto deadline = Clock::now() + most.value_or(0ms);
    while (is_running(name)) {
        if (most && Clock::now() >= deadline)
            return false;
        os::check_stop();
        std::this_thread::sleep_for(50ms);
    }
    return true;
}

std::string Domains::console_log(const std::string& name) const {
    const auto all = list();
    const auto running = std::find_if(all.begin(), all.end(), [&](const auto& domain) {
        return domain.name == name || std::to_string(domain.id) == name;
    });
    if (running == all.end() && is_valid_guest_name(name) && std::filesystem::exists(state_.log_file(name)))
        return os::read_file(state_.log_file(name), ErrorKind::hypervisor);
    if (const auto ended = running == all.end() ? state_.name_of_ended(name) : std::nullopt)
        return os::read_file(state_.log_file(*ended), ErrorKind::hypervisor);
    const auto current = state_.domain(running == all.end() ? find(name).name : running->name) / "console.log";
    auto older = current;
    older += ".1";
    auto text = std::filesystem::exists(older) ? os::read_file(older, ErrorKind::hypervisor) : "";
    return text + os::read_file(current, ErrorKind::hypervisor);
}

Domains::Console Domains::open_console(const std::string& name, ConsoleMode mode) const {
    const auto domain = find(name);
    if (!domain.supervised)
        throw error(ErrorKind::hypervisor, "cannot open the console of {}: its supervisor has died",
                    quote(domain.name));
    Console console{connect_to(state_.domain(domain.name), "socket")};
    os::send_all(console.stream, mode == ConsoleMode::write ? "console write\n" : "console read\n", "a request",
                 ErrorKind::hypervisor);
    std::string line;
    for (char c = 0; line.size() < 100; line += c)
        if (::recv(console.stream.get(), &c, 1, 0) != 1 || c == '\n')
            break;
    const auto words = split_words(line);
    if (words.size() != 3 || words[0] != "console")
        throw error(ErrorKind::hypervisor, "cannot open the console of {}: its supervisor has ended",
                    quote(domain.name));
    console.writable = words[1] == "writer";
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), console.recent);
    return console;
}

}  // namespace vprov::hypervisor
