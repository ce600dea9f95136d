#include "hypervisor/launch/kvm_probe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "hypervisor/launch/confinement.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

constexpr std::size_t kGuestMemory = 2 << 20;
constexpr std::uint64_t kCode = 0x1000, kTopTable = 0x2000, kPointerTable = 0x3000, kDirectory = 0x4000;
constexpr double kSlowest = 0.005;  // seconds for the loop

struct Outcome {
    enum class Kind { ran, cannot_open, failed, stuck };
    Kind kind = Kind::failed;
    int why = 0;         // errno
    double seconds = 0;  // Kind::ran
};

extern "C" void on_alarm(int) {}  // its only work is to make KVM_RUN return with EINTR

void start_watchdog() {
    struct sigaction action {};
    action.sa_handler = on_alarm;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, nullptr);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm, nullptr);
    constexpr timeval kPeriod{0, 250'000};  // repeating: the first may come before KVM_RUN is entered
    const itimerval timer{kPeriod, kPeriod};
    setitimer(ITIMER_REAL, &timer, nullptr);
}

// mov ecx,20000; again: dec ecx; jnz again; hlt, in 64-bit mode with the first 2 MiB mapped to themselves.
void fill_guest(unsigned char* memory) {
    constexpr std::array<unsigned char, 10> kLoop = {0xb9, 0x20, 0x4e, 0x00, 0x00, 0xff, 0xc9, 0x75, 0xfc, 0xf4};
    constexpr std::uint64_t kPresentWritable = 3, kLargePage = 0x80;
    const std::array<std::pair<std::uint64_t, std::uint64_t>, 3> entries = {
        {{kTopTable, kPointerTable | kPresentWritable},
         {kPointerTable, kDirectory | kPresentWritable},
         {kDirectory, kPresentWritable | kLargePage}}};
    std::memcpy(memory + kCode, kLoop.data(), kLoop.size());
    for (const auto& [place, entry] : entries) std::memcpy(memory + place, &entry, sizeof entry);
}

bool set_long_mode(int vcpu) {
    kvm_sregs special{};
    if (::ioctl(vcpu, KVM_GET_SREGS, &special) != 0)
        return false;
    special.cr0 = 0x80000011;  // PG, ET, PE
    special.cr3 = kTopTable;
    special.cr4 = 0x20;    // PAE
    special.efer = 0x500;  // LMA, LME
    kvm_segment code{};
    code.limit = 0xffffffff;
    code.selector = 8;
    code.type = 11;
    code.present = code.s = code.l = code.g = 1;
    kvm_segment data = code;
    data.selector = 16;
    data.type = 3;
    data.l = 0;
    data.db = 1;
    special.cs = code;
    special.ds = special.es = special.fs = special.gs = special.ss = data;
    kvm_regs registers{};
    registers.rip = kCode;
    registers.rflags = 2;
    return ::ioctl(vcpu, KVM_SET_SREGS, &special) == 0 && ::ioctl(vcpu, KVM_SET_REGS, &registers) == 0;
}

Outcome failed() {
    return {Outcome::Kind::failed, errno, 0};
}

Outcome run_once(int kvm) {
    const os::Fd machine(::ioctl(kvm, KVM_CREATE_VM, 0));
    if (!machine.is_open())
        return failed();
    void* const memory = ::mmap(nullptr, kGuestMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return failed();
    fill_guest(static_cast<unsigned char*>(memory));
    const kvm_userspace_memory_region region{0, 0, 0, kGuestMemory, reinterpret_cast<std::uintptr_t>(memory)};
    if (::ioctl(machine.get(), KVM_SET_USER_MEMORY_REGION, &region) != 0)
        return failed();
    const os::Fd vcpu(::ioctl(machine.get(), KVM_CREATE_VCPU, 0));
    const int size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (!vcpu.is_open() || size <= 0)
        return failed();
    void* const shared =
        ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.get(), 0);
    if (shared == MAP_FAILED || !set_long_mode(vcpu.get()))
        return failed();
    const auto start = std::chrono::steady_clock::now();
    if (::ioctl(vcpu.get(), KVM_RUN, 0) != 0)
        return {errno == EINTR ? Outcome::Kind::stuck : Outcome::Kind::failed, errno, 0};
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (static_cast<kvm_run*>(shared)->exit_reason != KVM_EXIT_HLT)
        return {Outcome::Kind::failed, 0, 0};
    return {Outcome::Kind::ran, 0, taken.count()};
}

// In the child, which ends right after: what it maps and opens is not given back one by one.
Outcome measure() {
    const os::Fd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!kvm.is_open())
        return {Outcome::Kind::cannot_open, errno, 0};
    start_watchdog();
    Outcome best = run_once(kvm.get());
    if (best.kind != Outcome::Kind::ran || best.seconds < kSlowest)
        return best;
    const Outcome second = run_once(kvm.get());  // the host may have been busy with something else
    return second.kind == Outcome::Kind::ran && second.seconds < best.seconds ? second : best;
}

Outcome measure_in_child() {
    constexpr int kMostMilliseconds = 1000;
    auto pipe = os::make_pipe();
    const pid_t child = ::fork();
    if (child < 0)
        return failed();
    if (child == 0) {
        const Outcome outcome = measure();
        [[maybe_unused]] const auto written = ::write(pipe.write.get(), &outcome, sizeof outcome);
        ::_exit(0);
    }
    pipe.write.reset();
    Outcome outcome{Outcome::Kind::stuck, 0, 0};
    pollfd waiting{pipe.read.get(), POLLIN, 0};
    while (::poll(&waiting, 1, kMostMilliseconds) < 0 && errno == EINTR) {
    }
    if (waiting.revents == 0 || ::read(pipe.read.get(), &outcome, sizeof outcome) != sizeof outcome)
        outcome.kind = waiting.revents == 0 ? Outcome::Kind::stuck : Outcome::Kind::failed;
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return outcome;
}

std::string because(int why) {
    return why == 0 ? "it does not run a guest" : std::generic_category().message(why);
}

}  // namespace

KvmVerdict probe_kvm() {
    const Outcome outcome = measure_in_child();
    switch (outcome.kind) {
        case Outcome::Kind::ran:
            if (outcome.seconds < kSlowest)
                return {true, ""};
            return {false, "KVM was tried: too slow"};
        case Outcome::Kind::cannot_open:
            if (outcome.why == ENOENT)
                return {false, "there is no /dev/kvm"};
            return {false, fmt::format("KVM was tried: /dev/kvm: {}", because(outcome.why))};
        case Outcome::Kind::stuck:
            return {false, "KVM was tried: it hangs"};
        case Outcome::Kind::failed:
            break;
    }
    return {false, fmt::format("KVM was tried: {}", because(outcome.why))};
}

EngineVerdict choose_engine(EngineChoice choice) {
    if (choice == EngineChoice::tcg)
        return {Engine::tcg, "TCG (asked for)"};
    auto kvm = probe_kvm();
    if (kvm.usable && ::geteuid() == 0 && !others_can_open_kvm())
        kvm = {false,
               "/dev/kvm is open to root only, and QEMU runs as a user of its own (chgrp kvm /dev/kvm && chmod "
               "660 /dev/kvm)"};
    if (kvm.usable)
        return {Engine::kvm, "KVM"};
    if (choice == EngineChoice::kvm)
        throw error(ErrorKind::hypervisor, "cannot use KVM: {}", kvm.reason);
    return {Engine::tcg, fmt::format("TCG ({})", kvm.reason)};
}

}  // namespace vprov::hypervisor
