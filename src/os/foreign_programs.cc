#include "os/foreign_programs.h"

#include <elf.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <concepts>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::os {
namespace {
namespace fs = std::filesystem;

struct Machine {
    std::string_view architecture, emulator;  // QEMU's name of it
    std::uint16_t machine;                    // e_machine, elf(5)
    unsigned bits;
    std::uint32_t flags;    // e_flags
    std::string_view code;  // exit(0), in hexadecimal
    bool big_endian = false;
};
// 2 is ppc64el's ELFv2, where an entry point is code and no descriptor of it.
constexpr std::array<Machine, 11> kMachines = {
    {{"amd64", "x86_64", EM_X86_64, 64, 0, "b83c000000 31ff 0f05"},
     {"arm64", "aarch64", EM_AARCH64, 64, 0, "a80b80d2 000080d2 010000d4"},
     {"armel", "arm", EM_ARM, 32, EF_ARM_EABI_VER5, "0170a0e3 0000a0e3 000000ef"},
     {"armhf", "arm", EM_ARM, 32, EF_ARM_EABI_VER5, "0170a0e3 0000a0e3 000000ef"},
     {"i386", "i386", EM_386, 32, 0, "b801000000 31db cd80"},
     {"loong64", "loongarch64", EM_LOONGARCH, 64, 0x43, "0b748102 04008002 00002b00"},
     {"mips64el", "mips64el", EM_MIPS, 64, EF_MIPS_ARCH_64R2, "c2130224 00000424 0c000000"},
     {"mipsel", "mipsel", EM_MIPS, 32, EF_MIPS_ARCH_32R2 | 0x1000, "a10f0224 00000424 0c000000"},
     {"ppc64el", "ppc64le", EM_PPC64, 64, 2, "01000038 00006038 02000044"},
     {"riscv64", "riscv64", EM_RISCV, 64, 0, "9308d005 13050000 73000000"},
     {"s390x", "s390x", EM_S390, 64, 0, "a7290000 0a01", true}}};

constexpr std::uint32_t kAddress = 0x400000;
constexpr std::uint32_t kLargestPage = 0x10000;

std::string bytes_of(std::string_view hexadecimal) {
    std::string digits, bytes;
    std::ranges::copy_if(hexadecimal, std::back_inserter(digits), [](char c) { return c != ' '; });
    for (std::size_t i = 0; i < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return bytes;
}

template <class Header, class Segment>
std::string program_of(const Machine& machine) {
    const auto code = bytes_of(machine.code);
    const auto number = [&]<std::integral T>(T& place, std::uint32_t value) {
        place = static_cast<T>(value);
        if (machine.big_endian)
            std::reverse(reinterpret_cast<char*>(&place), reinterpret_cast<char*>(&place) + sizeof place);
    };
    const auto size = static_cast<std::uint32_t>(sizeof(Header) + sizeof(Segment) + code.size());
    Header header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = machine.bits == 64 ? ELFCLASS64 : ELFCLASS32;
    header.e_ident[EI_DATA] = machine.big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    number(header.e_type, ET_EXEC);
    number(header.e_machine, machine.machine);
    number(header.e_version, EV_CURRENT);
    number(header.e_entry, kAddress + size - static_cast<std::uint32_t>(code.size()));
    number(header.e_phoff, sizeof(Header));
    number(header.e_flags, machine.flags);
    number(header.e_ehsize, sizeof(Header));
    number(header.e_phentsize, sizeof(Segment));
    number(header.e_phnum, 1);
    Segment segment{};
    number(segment.p_type, PT_LOAD);
    number(segment.p_flags, PF_R | PF_X);
    number(segment.p_vaddr, kAddress);
    number(segment.p_paddr, kAddress);
    number(segment.p_filesz, size);
    number(segment.p_memsz, size);
    number(segment.p_align, kLargestPage);
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
           std::string(reinterpret_cast<const char*>(&segment), sizeof segment) + code;
}

constexpr const char* kProgram = "/program";
constexpr unsigned kDeadline = 60;  // seconds, after which SIGALRM ends it

enum class Proc { without, with };

struct Outcome {
    int not_entered = 0, not_started = 0;  // errno values
    int status = 0;                        // of wait(2)
};

// Only async-signal-safe calls. What was written to `failure` is the step and its errno.
[[noreturn]] void run_program(const char* root, const char* proc, const Fd& failure) {
    const auto fail = [&](int Outcome::*step) {
        Outcome outcome;
        outcome.*step = errno;
        [[maybe_unused]] const auto written = ::write(failure.get(), &outcome, sizeof outcome);
        ::_exit(127);
    };
    if (proc && ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0)
        ::mount("/proc", proc, nullptr, MS_BIND | MS_REC, nullptr);
    if (::chroot(root) != 0 || ::chdir("/") != 0)
        fail(&Outcome::not_entered);
    ::alarm(kDeadline);
    const char* const argv[] = {kProgram, nullptr};
    const char* const environment[] = {nullptr};
    ::execve(kProgram, const_cast<char* const*>(argv), const_cast<char* const*>(environment));
    fail(&Outcome::not_started);
    ::_exit(127);
}

Outcome outcome_in(const fs::path& root, Proc proc) {
    const auto inner_proc = (root / "proc").native();
    auto failure = make_pipe();
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::usage, errno, "cannot fork");
    if (child == 0)
        run_program(root.c_str(), proc == Proc::with ? inner_proc.c_str() : nullptr, failure.write);
    failure.write.reset();
    Outcome outcome;
    const auto told = read_file(failure.read, "a failure", ErrorKind::usage);
    if (told.size() == sizeof outcome)
        std::memcpy(&outcome, told.data(), sizeof outcome);
    while (::waitpid(child, &outcome.status, 0) < 0 && errno == EINTR) {
    }
    if (outcome.not_entered != 0)
        throw system_error(ErrorKind::usage, outcome.not_entered, "cannot enter another root directory");
    return outcome;
}

// binfmt-support keeps what is registered, and systemd where that is not installed.
std::string way_to_register(std::string_view emulator) {
    if (!program_exists(fmt::format("qemu-{}-static", emulator)))
        return "sudo apt install qemu-user-static binfmt-support";
    if (program_exists("update-binfmts"))
        return fmt::format("sudo update-binfmts --enable qemu-{}", emulator);
    if (fs::exists("/run/systemd/system"))
        return "sudo systemctl restart systemd-binfmt";
    return "sudo apt install binfmt-support";
}

Obstacle obstacle_of(const Outcome& outcome, const Machine& machine, const fs::path& directory) {
    switch (outcome.not_started) {
        case 0:
            break;
        case ENOEXEC:
            return {"no emulator is registered for their programs (binfmt_misc)", way_to_register(machine.emulator)};
        case ENOENT:
            return {"their emulator works in the host's root directory only (binfmt_misc without flag F)",
                    "sudo apt install qemu-user-static binfmt-support"};
        case EACCES:
            return {fmt::format("no program may be executed in {} (is it mounted noexec?)", quote(directory.native())),
                    ""};
        default:
            return {std::strerror(outcome.not_started), ""};
    }
    if (WIFSIGNALED(outcome.status))
        return {fmt::format("their emulator was killed by signal {}", WTERMSIG(outcome.status)), ""};
    if (WEXITSTATUS(outcome.status) != 0)
        return {fmt::format("their emulator ends with exit status {}", WEXITSTATUS(outcome.status)), ""};
    return {};
}

}  // namespace

Obstacle what_forbids_programs_of(std::string_view architecture, const fs::path& directory) {
    const auto machine = std::find_if(kMachines.begin(), kMachines.end(),
                                      [&](const Machine& known) { return known.architecture == architecture; });
    if (machine == kMachines.end())
        return {fmt::format("{} is no architecture that vprov knows", quote(architecture)), ""};
    const TempDir root(directory, "vprov-try-");
    const auto program = root.path() / (kProgram + 1);
    write_file(program,
               machine->bits == 64 ? program_of<Elf64_Ehdr, Elf64_Phdr>(*machine)
                                   : program_of<Elf32_Ehdr, Elf32_Phdr>(*machine),
               0755);
    auto outcome = outcome_in(root.path(), Proc::without);
    if (outcome.not_started == 0 && outcome.status != 0) {  // an emulator may look at its /proc/self
        fs::create_directory(root.path() / "proc");
        outcome = outcome_in(root.path(), Proc::with);
    }
    return obstacle_of(outcome, *machine, directory);
}

}  // namespace vprov::os
