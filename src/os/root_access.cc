#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/user_namespace.h"

namespace vprov::os {
namespace {

std::string read_or_empty(const std::string& path) {
    try {
        return read_file(path);
    } catch (const Error&) {
        return {};
    }
}

bool has_capability(int capability) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0)
        return false;
    return (data[static_cast<std::size_t>(capability / 32)].effective >> (capability % 32) & 1) != 0;
}

struct User {
    std::string name;
    gid_t group = 0;
};

std::optional<User> this_user() {
    const auto* entry = ::getpwuid(::getuid());
    if (!entry)
        return std::nullopt;
    return User{entry->pw_name, entry->pw_gid};
}

// It maps ids that are not the caller's by being set-user-ID root or having CAP_SETUID or CAP_SETGID as a file.
bool is_privileged(const std::string& program) {
    struct stat status {};
    struct statvfs filesystem {};
    if (::stat(program.c_str(), &status) != 0 || ::statvfs(program.c_str(), &filesystem) != 0)
        return false;
    const bool marked = ((status.st_mode & S_ISUID) != 0 && status.st_uid == 0) ||
                        ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
    return marked && (filesystem.f_flag & ST_NOSUID) == 0;
}

// subuid(5) can come from elsewhere too (nsswitch.conf); getsubids(1) asks there: "0: NAME 100000 65536".
IdMap ranges_of(const User& user, const char* file, const char* option, CommandRunner& runner) {
    auto ranges = subordinate_ranges(read_or_empty(file), user.name, ::getuid());
    if (!ranges.empty() || find_program("getsubids").empty())
        return ranges;
    Command command;
    command.argv = {"getsubids"};
    if (*option)
        command.argv.emplace_back(option);
    command.argv.push_back(user.name);
    command.environment = clean_environment();
    const auto result = runner.run(command);
    if (!result.ok())
        return {};
    std::string lines;
    for (const auto line : split(result.output, '\n'))
        if (const auto words = split_words(line); words.size() == 4)
            lines += fmt::format("{}:{}:{}\n", words[1], words[2], words[3]);
    return subordinate_ranges(lines, user.name, ::getuid());
}

// The first ids, from the usual ones on, that no line of the files gives to anybody.
std::uint32_t first_free_id() {
    std::uint64_t free = 100000;
    for (const auto* file : {"/etc/subuid", "/etc/subgid"}) {
        const auto text = read_or_empty(file);
        for (const auto line : split(text, '\n'))
            for (const auto& range : subordinate_ranges(line, split(trimmed(line), ':')[0], 0))
                free = std::max<std::uint64_t>(free, std::uint64_t{range.outside} + range.count);
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(free, 4200000000U));
}

Obstacle missing_range(const User& user, const char* file, std::uint32_t has) {
    const auto first = first_free_id();
    const auto range = fmt::format("{}-{}", first, first + kAllIds - 1);
    return {fmt::format("{} {} in {}", quote(user.name),
                        has == 0 ? std::string("has no line") : fmt::format("has only {} ids", has), file),
            fmt::format("sudo usermod --add-subuids {} --add-subgids {} {}", range, range, shell_quote(user.name))};
}

Obstacle unusable_program(const char* name) {
    const auto program = find_program(name);
    if (program.empty())
        return {fmt::format("there is no {}", name), "sudo apt install uidmap"};
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return {fmt::format("{} cannot have its privileges: vprov was started with no_new_privs", name), ""};
    if (!is_privileged(program))
        return {fmt::format("{} has no privileges: not set-user-ID, or mounted nosuid", program),
                "sudo apt install --reinstall uidmap"};
    return {};
}

RootAccess single(uid_t user, gid_t group, Obstacle shortfall) {
    return {RootBy::single_id, {{0, user, 1}}, {{0, group, 1}}, std::move(shortfall)};
}

RootAccess access_of_root(const IdMap& users, const IdMap& groups) {
    const auto count = std::min(ids_from_zero(users), ids_from_zero(groups));
    if (count < kFewestIds)
        return single(
            0, 0, {fmt::format("vprov was started in a user namespace of {} id{}", count, count == 1 ? "" : "s"), {}});
    if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID))
        return single(0, 0, {"vprov was started without the capabilities CAP_SETUID and CAP_SETGID", {}});
    return {RootBy::nested_ids, identity_of(users), identity_of(groups), {}};
}

RootAccess access_of_user(CommandRunner& runner) {
    const auto user = this_user();
    if (!user)
        return single(::getuid(), ::getgid(),
                      {fmt::format("user id {} has no name in the account tables", ::getuid()), {}});
    for (const auto* program : {"newuidmap", "newgidmap"})
        if (auto why = unusable_program(program); !why.cause.empty())
            return single(::getuid(), ::getgid(), std::move(why));
    RootAccess access{RootBy::subordinate_ids, {}, {}, {}};
    access.users = map_with_subordinates(::getuid(), ranges_of(*user, "/etc/subuid", "", runner));
    access.groups = map_with_subordinates(user->group, ranges_of(*user, "/etc/subgid", "-g", runner));
    for (const auto& [map, file] : {std::pair{&access.users, "/etc/subuid"}, {&access.groups, "/etc/subgid"}})
        if (const auto count = ids_from_zero(*map); count < kFewestIds)
            return single(::getuid(), ::getgid(), missing_range(*user, file, count - 1));
    return access;
}

// The program may make user namespaces, and nothing else changes (apparmor.d(5), abi 4.0: Ubuntu 24.04).
std::string apparmor_profile() {
    std::error_code failure;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failure).native();
    const auto profile = fmt::format("abi <abi/4.0>, profile vprov \"{}\" flags=(unconfined) {{ userns, }}", self);
    return fmt::format("echo {} | sudo tee /etc/apparmor.d/vprov && sudo apparmor_parser -r /etc/apparmor.d/vprov",
                       shell_quote(profile));
}

// proc(5): "Seccomp: 2" is a filter.
bool is_filtered(std::string_view status) {
    return status.find("\nSeccomp:\t2") != std::string_view::npos;
}

// Its root directory is then no mount point, and the table of mounts, which begins at it, does not have it.
bool is_chroot(std::string_view mounts) {
    for (const auto line : split(mounts, '\n'))
        if (const auto words = split_words(line); words.size() > 4 && words[4] == "/")
            return false;
    return !mounts.empty();
}

}  // namespace

RootAccess find_root_access(CommandRunner& runner) {
    if (::geteuid() != 0)
        return access_of_user(runner);
    const auto users = parse_id_map(read_or_empty("/proc/self/uid_map"));
    const auto groups = parse_id_map(read_or_empty("/proc/self/gid_map"));
    const IdMap everything = {{0, 0, 4294967295U}};
    const bool of_the_host = users.empty() || users == everything;  // empty: a kernel without user namespaces
    if (of_the_host && has_capability(CAP_SYS_ADMIN))
        return {RootBy::being_root, {}, {}, {}};
    return access_of_root(users, groups);
}

std::string Obstacle::text() const {
    return fix.empty() ? cause : fmt::format("{}; the fix is: {}", cause, fix);
}

Obstacle what_forbids_user_namespaces() {
    const auto is = [](const char* name, std::string_view value) {
        return trimmed(read_or_empty(fmt::format("/proc/sys/{}", name))) == value;
    };
    if (is("kernel/unprivileged_userns_clone", "0") && ::geteuid() != 0)
        return {"kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"};
    if (is("user/max_user_namespaces", "0"))
        return {"user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=15000"};
    if (is("kernel/apparmor_restrict_unprivileged_userns", "1") && ::geteuid() != 0)
        return {"kernel.apparmor_restrict_unprivileged_userns is 1", apparmor_profile()};
    if (is_filtered(read_or_empty("/proc/self/status")))
        return {"a system call filter is in force, a container's it seems",
                "docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined ..."};
    if (is_chroot(read_or_empty("/proc/self/mountinfo")))
        return {"the kernel allows none in a chroot environment", "run vprov outside of it, or as root"};
    return {};
}

}  // namespace vprov::os
