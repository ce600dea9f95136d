#include "os/syscall_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <span>

#include "base/error.h"
#include "os/fd.h"

namespace vprov::os {
namespace {

// Architectures whose programs the native kernel also runs.
void add_lesser_architectures(scmp_filter_ctx filter) {
    if (seccomp_arch_native() == SCMP_ARCH_X86_64)
        seccomp_arch_add(filter, SCMP_ARCH_X86);
    if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
        seccomp_arch_add(filter, SCMP_ARCH_ARM);
}

std::string make_filter(std::span<const int> succeeding) {
    const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
    if (!filter)
        throw error(ErrorKind::script, "cannot make a system call filter");
    add_lesser_architectures(filter.get());
    for (const int call : succeeding)
        if (const int why = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(0), call, 0); why < 0)
            throw system_error(ErrorKind::script, -why, "cannot make a system call filter");
    const Fd file(::memfd_create("vprov-seccomp", MFD_CLOEXEC));
    if (!file.is_open())
        throw system_error(ErrorKind::script, errno, "cannot make a memory file");
    if (const int why = seccomp_export_bpf(filter.get(), file.get()); why < 0)
        throw system_error(ErrorKind::script, -why, "cannot export the system call filter");
    ::lseek(file.get(), 0, SEEK_SET);
    return read_file(file, "the system call filter", ErrorKind::script);
}

}  // namespace

std::string make_sync_filter() {
    static constexpr int kCalls[] = {SCMP_SYS(fsync),  SCMP_SYS(fdatasync),       SCMP_SYS(sync),
                                     SCMP_SYS(syncfs), SCMP_SYS(sync_file_range), SCMP_SYS(sync_file_range2),
                                     SCMP_SYS(msync)};
    return make_filter(kCalls);
}

std::string make_ownership_filter() {
    static constexpr int kCalls[] = {
        SCMP_SYS(chown),       SCMP_SYS(chown32),   SCMP_SYS(fchown),      SCMP_SYS(fchown32),
        SCMP_SYS(lchown),      SCMP_SYS(lchown32),  SCMP_SYS(fchownat),    SCMP_SYS(setuid),
        SCMP_SYS(setuid32),    SCMP_SYS(setgid),    SCMP_SYS(setgid32),    SCMP_SYS(setreuid),
        SCMP_SYS(setreuid32),  SCMP_SYS(setregid),  SCMP_SYS(setregid32),  SCMP_SYS(setresuid),
        SCMP_SYS(setresuid32), SCMP_SYS(setresgid), SCMP_SYS(setresgid32), SCMP_SYS(setfsuid),
        SCMP_SYS(setfsuid32),  SCMP_SYS(setfsgid),  SCMP_SYS(setfsgid32),  SCMP_SYS(setgroups),
        SCMP_SYS(setgroups32)};
    return make_filter(kCalls);
}

void load_filter(const std::string& program) {
    struct sock_fprog prog {};
    prog.len = static_cast<unsigned short>(program.size() / sizeof(struct sock_filter));
    prog.filter = static_cast<struct sock_filter*>(static_cast<void*>(const_cast<char*>(program.data())));
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
        throw system_error(ErrorKind::script, errno, "cannot load the system call filter");
}

}  // namespace vprov::os
