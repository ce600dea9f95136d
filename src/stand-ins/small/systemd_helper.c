// deb-systemd-helper(1), a perl script, for units of packages that are installed anew: nothing masks them, and nothing
// is recorded of what an administrator made of them.
#include "linux.h"

static int has_slash(const char* name) {
    return last_name(name) != name;
}

static int is_recorded(const char* state, const char* unit) {
    char path[kPathSize];
    return !join(path, sizeof path, state, unit, ".dsh-also") || !is_missing(path);
}

static int may_be_masked(const char* folder, const char* unit) {
    char path[kPathSize];
    return !join(path, sizeof path, folder, unit, "") || !is_missing(path);
}

// It removes these when they have become empty.
static int there_are_masks(void) {
    return !is_missing("/var/lib/systemd/deb-systemd-helper-masked") ||
           !is_missing("/var/lib/systemd/deb-systemd-user-helper-masked");
}

int stand_in_for_deb_systemd_helper(const struct start* start) {
    if (!*variable(start, "DPKG_MAINTSCRIPT_PACKAGE") || *variable(start, "DPKG_ROOT") ||
        *variable(start, "_DEB_SYSTEMD_HELPER_DEBUG"))
        return kUseReal;
    int quiet = 0, user = 0, at = 1;
    for (; at < start->argc && start->argv[at][0] == '-'; ++at) {
        if (same(start->argv[at], "--quiet"))
            quiet = 1;
        else if (same(start->argv[at], "--user"))
            user = 1;
        else
            return kUseReal;
    }
    if (at + 2 != start->argc || has_slash(start->argv[at + 1]) || start->argv[at + 1][0] == '-')
        return kUseReal;
    const char *action = start->argv[at], *unit = start->argv[at + 1];
    if (same(action, "unmask")) {
        const char* folder = user ? "/etc/systemd/user/" : "/etc/systemd/system/";
        return may_be_masked(folder, unit) || there_are_masks() ? kUseReal : 0;
    }
    const int was_enabled = quiet && same(action, "was-enabled");  // all that is recorded is there
    if (!was_enabled && !same(action, "debian-installed"))
        return kUseReal;
    if (is_recorded(
            user ? "/var/lib/systemd/deb-systemd-user-helper-enabled/" : "/var/lib/systemd/deb-systemd-helper-enabled/",
            unit))
        return kUseReal;
    return was_enabled ? 0 : 1;
}
