// dpkg-maintscript-helper(1) for packages that are installed anew: there is no former conffile, link or directory, so
// there is nothing to do. Scripts ask several times each.
#include "linux.h"

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Narrower than deb-version(7): what is left out, the real one judges.
static int is_plain_version(const char* version) {
    const char* colon = version;
    while (*colon && *colon != ':') ++colon;
    if (*colon) {
        if (colon == version || colon - version > 5)
            return 0;
        for (; version < colon; ++version)
            if (!is_digit(*version))
                return 0;
        ++version;
    }
    if (!is_digit(*version))
        return 0;
    for (; *version; ++version) {
        const char c = *version;
        const int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && c != '.' && c != '+' && c != '~' && !(c == '-' && version[1]))
            return 0;
    }
    return 1;
}

// A directory's path may end in a slash.
static int has_no_backup(const char* path) {
    char plain[kPathSize], backup[kPathSize];
    if (!join(plain, sizeof plain, path, "", ""))
        return 0;
    const size_t size = length(plain);
    if (size > 0 && plain[size - 1] == '/')
        plain[size - 1] = '\0';
    return join(backup, sizeof backup, plain, ".dpkg-backup", "") && is_missing(backup);
}

struct command {
    const char* name;
    int operands;        // before the version
    int second_is_path;  // absolute, as the first always is
    int leaves_backup;   // which its postinst looks for, whatever was installed before
};
static const struct command kCommands[] = {
    {"rm_conffile", 1, 0, 0},
    {"mv_conffile", 2, 1, 0},
    {"symlink_to_dir", 2, 0, 1},
    {"dir_to_symlink", 2, 0, 1},
};

static int operands_are_plain(const struct command* command, char** operands, int count) {
    if (count < command->operands || count > command->operands + 2 || operands[0][0] != '/')
        return 0;
    const size_t size = length(operands[0]);
    if (size < 2 || (operands[0][size - 1] == '/' && !same(command->name, "dir_to_symlink")))
        return 0;
    if (command->operands == 2 && (operands[1][0] == '\0' || (command->second_is_path && operands[1][0] != '/')))
        return 0;
    const char* version = count > command->operands ? operands[command->operands] : "";
    return !*version || is_plain_version(version);
}

static int has_nothing_to_do(const struct start* start, const struct command* command) {
    int separator = 2;
    while (separator < start->argc && !same(start->argv[separator], "--")) ++separator;
    const int parameters = start->argc - separator - 1;
    if (parameters < 1 || !operands_are_plain(command, start->argv + 2, separator - 2))
        return 0;
    const char* action = start->argv[separator + 1];
    if (parameters > 1 && start->argv[separator + 2][0] != '\0')  // the version that is being replaced
        return 0;
    if (same(variable(start, "DPKG_MAINTSCRIPT_NAME"), "preinst"))
        return same(action, "install");
    return same(variable(start, "DPKG_MAINTSCRIPT_NAME"), "postinst") && same(action, "configure") &&
           (!command->leaves_backup || has_no_backup(start->argv[2]));
}

int stand_in_for_dpkg_maintscript_helper(const struct start* start) {
    if (start->argc < 3 || !*variable(start, "DPKG_MAINTSCRIPT_NAME") ||
        !*variable(start, "DPKG_MAINTSCRIPT_PACKAGE") || *variable(start, "DPKG_ROOT") ||
        *variable(start, "DPKG_DEBUG"))
        return kUseReal;
    const int asks = same(start->argv[1], "supports");
    for (size_t i = 0; i < sizeof kCommands / sizeof kCommands[0]; ++i)
        if (same(start->argv[asks ? 2 : 1], kCommands[i].name))
            return asks || has_nothing_to_do(start, &kCommands[i]) ? 0 : kUseReal;
    return kUseReal;
}
