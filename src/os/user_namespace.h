// Acting as root where the caller is none: work runs in a child process, in a user namespace in which 0 is the caller's
// own id and the others are its subordinate ids (subuid(5), newuidmap(1)), so what it makes belongs to the caller.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "os/command.h"
#include "os/id_map.h"

namespace vprov::os {

enum class RootBy {
    being_root,       // root of the host: no namespace is needed
    nested_ids,       // root of a container: the ids it has, in a namespace within its own
    subordinate_ids,  // newuidmap and newgidmap map them
    single_id,        // root in name only: all files belong to one id
};

struct Obstacle {
    std::string cause;  // "" for none
    std::string fix;    // a command to paste; "" where there is none
    std::string text() const;
};

struct RootAccess {
    RootBy by = RootBy::single_id;
    IdMap users, groups;  // of the new namespace; none for being_root
    Obstacle shortfall;   // single_id: why there are no more ids
};

// Looks at this process, the account tables, /etc/subuid and /etc/subgid. A user who is not in the account tables or
// has no newuidmap gets a single id.
RootAccess find_root_access(CommandRunner& runner);

// Runs `work` as root of `access` and returns what it returns; throws the Error that it throws. For being_root it is
// simply called. Otherwise in a forked child: there must be no other thread, and only what work returns comes back.
// What is on its standard output is flushed. With a single id, changes of owners and of credentials have no effect in
// the child and whatever it starts, and report success (make_ownership_filter()). A stop request is passed on, and the
// child ends with this process. Throws Error(usage) where namespaces cannot be made, naming the setting in the way.
std::string run_as_root(const RootAccess& access, CommandRunner& runner, const std::function<std::string()>& work);

// How run_as_root() made this process root, or would make it.
RootBy root_by();

// The effective user id outside of run_as_root(): whose home and caches are meant.
uid_t caller_id() noexcept;

// What is known to keep this process from making user namespaces that are of use.
Obstacle what_forbids_user_namespaces();

}  // namespace vprov::os
