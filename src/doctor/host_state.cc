#include <pwd.h>
#include <sched.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "hypervisor/launch/kvm_probe.h"
#include "hypervisor/xen/xen_engine.h"
#include "os/fd.h"
#include "os/foreign_programs.h"
#include "partition/image/parted_library.h"

namespace vprov::doctor {
namespace {

std::optional<std::string> read_if_there(const std::string& path) {
    try {
        return os::read_file(path);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string user_name() {
    const auto* entry = ::getpwuid(::geteuid());
    return entry ? entry->pw_name : std::to_string(::geteuid());
}

std::map<std::string, std::string> settings() {
    std::map<std::string, std::string> found;
    for (const std::string name : {"kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns",
                                   "user.max_user_namespaces"}) {
        auto path = "/proc/sys/" + name;
        path[path.find('.', 10)] = '/';
        if (const auto value = read_if_there(path))
            found.emplace(name, trimmed(*value));
    }
    return found;
}

// Those of the sandbox, in a child that does nothing else.
void make_namespaces() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) == 0 ? 0 : errno);
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || status != 0)
        throw system_error(ErrorKind::usage, WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN,
                           "cannot make namespaces");
}

os::Obstacle try_namespaces(const os::RootAccess& access, os::CommandRunner& runner) {
    try {
        os::run_as_root(access, runner, [] {
            make_namespaces();
            return std::string();
        });
        return {};
    } catch (const Error& e) {
        auto known = os::what_forbids_user_namespaces();
        if (!known.cause.empty())
            return known;
        return {e.message(), ""};
    }
}

os::Obstacle try_programs(const std::string& architecture, const os::RootAccess& access, os::CommandRunner& runner) {
    try {
        const auto told = os::run_as_root(access, runner, [&] {
            const auto obstacle = os::what_forbids_programs_of(architecture, std::filesystem::temp_directory_path());
            return obstacle.cause + '\n' + obstacle.fix;
        });
        const auto end = told.find('\n');
        return {told.substr(0, end), told.substr(end + 1)};
    } catch (const Error& e) {
        return {e.message(), ""};
    }
}

std::string xen_version() {
    std::string version;
    for (const std::string part : {"major", "minor", "extra"}) {
        const auto text = read_if_there("/sys/hypervisor/version/" + part);
        if (!text)
            return "";
        version += fmt::format("{}{}", part == "minor" ? "." : "", trimmed(*text));
    }
    return version;
}

bool has_bridge() {
    std::error_code failure;
    for (const auto& interface : std::filesystem::directory_iterator("/sys/class/net", failure))
        if (std::filesystem::exists(interface.path() / "bridge"))
            return true;
    return false;
}

XenState xen_state(os::CommandRunner& runner) {
    XenState xen;
    xen.role = hypervisor::find_xen_role();
    xen.in_boot = hypervisor::has_xen_in_boot();
    if (xen.role != hypervisor::XenRole::controller)
        return xen;
    xen.version = xen_version();
    xen.has_xl = os::program_exists("xl");
    xen.failure = xen.has_xl ? hypervisor::XenEngine(runner).why_unusable() : "";
    xen.is_root = ::geteuid() == 0;
    xen.has_bridge = has_bridge();
    for (const auto& [module, name] : {std::pair{"xen_blkback", "xen-blkback"}, {"xen_netback", "xen-netback"}})
        if (!std::filesystem::exists(fmt::format("/sys/module/{}", module)))
            xen.missing_modules.emplace_back(name);
    return xen;
}

std::string native_architecture() {
    struct utsname names {};
    ::uname(&names);
    const std::string machine = names.machine;
    return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

bool has_libparted() {
    try {
        partition::parted();
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

HostState read_host_state(os::CommandRunner& runner) {
    HostState state;
    state.user = user_name();
    state.access = os::find_root_access(runner);
    state.namespace_failure = try_namespaces(state.access, runner);
    state.settings = settings();
    for (const auto* name : {"newuidmap", "gpgv", "mke2fs", "qemu-system-x86_64"})
        if (os::program_exists(name))
            state.programs.emplace_back(name);
    if (has_libparted())
        state.programs.emplace_back("libparted");
    for (const std::string name : {"debian", "ubuntu"})
        state.keyrings[name] = std::filesystem::exists(fmt::format("/usr/share/keyrings/{}-archive-keyring.gpg", name));
    state.xen = xen_state(runner);
    state.kvm_failure = hypervisor::probe_kvm().reason;
    state.architecture = native_architecture();
    for (const std::string name : {"i386", "arm64", "riscv64"})
        state.foreign[name] = try_programs(name, state.access, runner);
    return state;
}

}  // namespace vprov::doctor
