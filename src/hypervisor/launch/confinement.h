// Whom a QEMU runs as, and what it may do there besides the system calls that its own sandbox leaves it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"

namespace vprov::hypervisor {

// Decided before fork(2), done after it.
struct Confinement {
    struct User {
        uid_t uid = 0;
        gid_t gid = 0;
    };
    // nullopt: the supervisor's own, which is an ordinary user's, or may not become another.
    std::optional<User> user;
    // Its own pid is added to uid and gid, modulo this: of all that runs nothing else has them. 0: they are as they
    // are.
    unsigned ids_for_pids = 0;
    std::vector<gid_t> groups;  // supplementary ones, when the user changes: /dev/kvm's
    bool keeps_groups = false;  // this user namespace does not let anybody change them
    std::string warning;        // why it is root all the same; "" mostly
};

// For a supervisor that is root: the system user vprov-qemu, if there is one; else one of 2^22 ids from 1879048192
// on, which neither Debian nor systemd give to anybody (systemd's UIDS-GIDS document calls them unused), in a user
// namespace without these one from 61184 to 65519, systemd's for the same purpose.
Confinement choose_confinement(Engine engine);

// In the forked child, before execve(2): becomes the user, without capabilities and without ways to gain any, no core
// is written, and the kernel takes it for no better than others when memory ends. Async-signal-safe. 0, or the errno.
int confine(const Confinement& confinement) noexcept;

// Whether a user other than root can open /dev/kvm. True where there is none.
bool others_can_open_kvm();

}  // namespace vprov::hypervisor
