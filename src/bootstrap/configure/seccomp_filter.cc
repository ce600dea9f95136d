#include "bootstrap/configure/seccomp_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/error.h"

namespace vprov::configure {

os::Fd make_sync_filter() {
    const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
    if (!filter)
        throw error(ErrorKind::script, "cannot make a system call filter");
    // A guest of 32 bits on a 64-bit kernel makes its own system calls; they are filtered too.
    if (seccomp_arch_native() == SCMP_ARCH_X86_64)
        seccomp_arch_add(filter.get(), SCMP_ARCH_X86);
    for (const int call :
         {SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync), SCMP_SYS(syncfs), SCMP_SYS(sync_file_range)})
        if (const int why = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(0), call, 0); why < 0)
            throw system_error(ErrorKind::script, -why, "cannot make a system call filter");
    os::Fd file(::memfd_create("vprov-seccomp", MFD_CLOEXEC));
    if (!file.is_open())
        throw system_error(ErrorKind::script, errno, "cannot make a memory file");
    if (const int why = seccomp_export_bpf(filter.get(), file.get()); why < 0)
        throw system_error(ErrorKind::script, -why, "cannot export the system call filter");
    return file;
}

void load_filter(const std::string& program) {
    struct sock_fprog prog {};
    prog.len = static_cast<unsigned short>(program.size() / sizeof(struct sock_filter));
    prog.filter = static_cast<struct sock_filter*>(static_cast<void*>(const_cast<char*>(program.data())));
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
        throw system_error(ErrorKind::script, errno, "cannot load the system call filter");
}

}  // namespace vprov::configure
