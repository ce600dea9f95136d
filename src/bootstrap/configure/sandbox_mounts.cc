#include "bootstrap/configure/sandbox_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/stand_ins.h"

namespace vprov::configure {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr const char* kResolver = "/etc/resolv.conf";
constexpr const char* kSmallStandIn = "/run/vprov/small";

struct Device {
    const char* path;
    unsigned major, minor;
};
constexpr std::array<Device, 6> kDevices = {{{"/dev/null", 1, 3},
                                             {"/dev/zero", 1, 5},
                                             {"/dev/full", 1, 7},
                                             {"/dev/random", 1, 8},
                                             {"/dev/urandom", 1, 9},
                                             {"/dev/tty", 5, 0}}};

void must(long result, const char* what) {
    if (result < 0)
        throw system_error(ErrorKind::script, errno, what);
}

std::string path_of(const os::Fd& fd) {
    return fmt::format("/proc/self/fd/{}", fd.get());
}

// Mount points are resolved inside the tree first, so a link there cannot lead a mount out of it.
void mount_in(const os::RootDir& root, const char* place, const char* type, unsigned long flags, const char* options) {
    if (const auto point = root.open_if_exists(place, O_PATH | O_DIRECTORY))
        must(::mount(type, path_of(*point).c_str(), type, flags, options), place);
}

void bind_file(const os::RootDir& root, const char* from, const char* place) {
    if (const auto point = root.open_if_exists(place, O_PATH))
        must(::mount(from, path_of(*point).c_str(), nullptr, MS_BIND, nullptr), place);
}

bool make_read_only(const char* path) {
    struct mount_attr attributes {};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    return ::mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes) == 0;
}

// A user namespace may mount proc only where all of an outer one can be seen, and a container's is masked. Then that
// one stands in. Its processes are in outer user namespaces: their files cannot be reached through it (ptrace(2)).
void mount_proc(const os::RootDir& root) {
    const auto point = root.open_if_exists("/proc", O_PATH | O_DIRECTORY);
    if (!point)
        return;
    const auto place = path_of(*point);
    if (::mount("proc", place.c_str(), "proc", kQuiet, nullptr) == 0)
        return;
    if (errno != EPERM)
        throw system_error(ErrorKind::script, errno, "/proc");
    must(::mount("/proc", place.c_str(), nullptr, MS_BIND | MS_REC, nullptr), "/proc");
}

// What changes the kernel's settings, whichever namespace it is written from.
void protect_kernel_settings(const os::RootDir& root) {
    for (const auto* name : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"}) {
        const auto point = root.open_if_exists(name, O_PATH);
        if (!point)
            continue;
        must(::mount(path_of(*point).c_str(), path_of(*point).c_str(), nullptr, MS_BIND | MS_REC, nullptr), name);
        const auto mounted = root.open(name, O_PATH);
        if (!make_read_only(path_of(mounted).c_str()))
            throw system_error(ErrorKind::script, errno, name);
    }
}

// sysfs is for those who own the network namespace; the outer one stands in, unless it would be writable.
void mount_sys(const os::RootDir& root) {
    const auto point = root.open_if_exists("/sys", O_PATH | O_DIRECTORY);
    if (!point || ::mount("sysfs", path_of(*point).c_str(), "sysfs", kQuiet | MS_RDONLY, nullptr) == 0)
        return;
    if (errno != EPERM)
        throw system_error(ErrorKind::script, errno, "/sys");
    if (::mount("/sys", path_of(*point).c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
        return;
    const auto mounted = root.open("/sys", O_PATH | O_DIRECTORY);
    if (!make_read_only(path_of(mounted).c_str()))
        ::umount2(path_of(mounted).c_str(), MNT_DETACH);
}

void mount_terminals(const os::RootDir& root) {
    const auto point = root.open_if_exists("/dev/pts", O_PATH | O_DIRECTORY);
    if (!point)
        return;
    constexpr unsigned long kFlags = MS_NOSUID | MS_NOEXEC;
    if (::mount("devpts", path_of(*point).c_str(), "devpts", kFlags, "newinstance,ptmxmode=0666,mode=620,gid=5") != 0)
        // EINVAL: the user namespace has no group 5
        must(::mount("devpts", path_of(*point).c_str(), "devpts", kFlags, "newinstance,ptmxmode=0666,mode=620"),
             "/dev/pts");
    if (const auto source = root.open_if_exists("/dev/pts/ptmx", O_PATH))
        bind_file(root, path_of(*source).c_str(), "/dev/ptmx");
}

void bind_devices(const os::RootDir& root) {
    for (const auto& device : kDevices) {
        struct stat status {};
        if (::stat(device.path, &status) == 0 && S_ISCHR(status.st_mode) &&
            status.st_rdev == makedev(device.major, device.minor))
            bind_file(root, device.path, device.path);
    }
}

// Where in a user namespace a flag of the file system beneath may not be taken back, it is asked for again.
unsigned long flags_of(const std::string& path) {
    constexpr std::array<std::pair<unsigned long, unsigned long>, 6> kSame = {{{ST_RDONLY, MS_RDONLY},
                                                                               {ST_NOSUID, MS_NOSUID},
                                                                               {ST_NOEXEC, MS_NOEXEC},
                                                                               {ST_NOATIME, MS_NOATIME},
                                                                               {ST_NODIRATIME, MS_NODIRATIME},
                                                                               {ST_RELATIME, MS_RELATIME}}};
    struct statvfs status {};
    unsigned long flags = 0;
    if (::statvfs(path.c_str(), &status) == 0)
        for (const auto& [seen, asked] : kSame)
            if ((status.f_flag & seen) != 0)
                flags |= asked;
    return flags;
}

// Without devices: what a script makes with mknod(2) is there, and leads nowhere.
void mount_tree(const std::string& path) {
    if ((flags_of(path) & MS_NOEXEC) != 0)
        throw error(ErrorKind::script, "the file system that {} is on is mounted noexec", quote(path));
    must(::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), "cannot bind the guest's tree");
    must(::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NODEV | flags_of(path), nullptr),
         "cannot bind the guest's tree without devices");
}

// The tree's own waits in kRealPrograms.
void cover_program(const os::RootDir& root, const std::filesystem::path& stand_in, const char* place) {
    const auto real = root.open_if_exists(place, O_PATH);
    if (!real || !std::filesystem::exists(stand_in))
        return;
    const auto kept = std::filesystem::path(kRealPrograms) / std::filesystem::path(place).filename();
    root.write(kept.native(), "");
    bind_file(root, path_of(*real).c_str(), kept.c_str());
    bind_file(root, stand_in.c_str(), place);
}

void cover_programs(const os::RootDir& root, const std::filesystem::path& stand_ins) {
    const bool split = !root.exists("/usr/sbin/start-stop-daemon");  // where /sbin is no link into /usr
    bind_file(root, (stand_ins / "start-stop-daemon").c_str(),
              split ? "/sbin/start-stop-daemon" : "/usr/sbin/start-stop-daemon");
    bind_file(root, (stand_ins / "ischroot").c_str(), "/usr/bin/ischroot");
    cover_program(root, stand_ins / "gzip", root.exists("/usr/bin/gzip") ? "/usr/bin/gzip" : "/bin/gzip");
    for (const auto* name : kSmallHelpers)
        cover_program(root, stand_ins / "small", (std::filesystem::path("/usr/bin") / name).c_str());
    root.make_directories(kRealPrograms);
    root.write(kSmallStandIn, small_programs(), 0755);
}

void enter(const os::RootDir& root) {
    must(::fchdir(root.open("/", O_RDONLY | O_DIRECTORY).get()), "cannot enter the guest's tree");
    must(::syscall(SYS_pivot_root, ".", "."), "cannot change the root directory");
    must(::umount2(".", MNT_DETACH), "cannot leave the host's root");
    must(::chdir("/"), "cannot enter the guest's tree");
}

}  // namespace

std::vector<std::string> make_placeholders(const os::RootDir& root, Network network) {
    std::vector<std::string> wanted = {"/dev/ptmx"};
    for (const auto& device : kDevices) wanted.emplace_back(device.path);
    if (network == Network::host)
        wanted.emplace_back(kResolver);
    std::vector<std::string> made;
    for (const auto& path : wanted)
        if (!root.exists(path)) {
            root.write(path, "");
            made.push_back(path);
        }
    return made;
}

void make_mounts(const SandboxMounts& mounts) {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "cannot make mounts private");
    mount_tree(mounts.root.path());
    const os::RootDir root(mounts.root.path());  // opened again: now it is the mount
    mount_proc(root);
    protect_kernel_settings(root);
    mount_sys(root);
    mount_terminals(root);
    bind_devices(root);
    mount_in(root, "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    mount_in(root, "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");  // as at run time: nothing there lasts
    must(::mkdirat(root.open("/run", O_PATH | O_DIRECTORY).get(), "lock", 0777), "cannot make /run/lock");
    cover_programs(root, mounts.stand_ins);
    if (mounts.network == Network::host)
        bind_file(root, kResolver, kResolver);
    enter(root);
}

void cover_small_programs() {
    if (small_programs().empty())
        return;
    must(::unshare(CLONE_NEWNS), "cannot make a mount namespace");
    must(::mount("/usr/bin", kRealPrograms, nullptr, MS_BIND, nullptr), kRealPrograms);
    for (const auto* name : kSmallPrograms) {
        const auto place = std::filesystem::path("/usr/bin") / name;
        struct stat status {};
        if (::lstat(place.c_str(), &status) == 0 && S_ISREG(status.st_mode))
            must(::mount(kSmallStandIn, place.c_str(), nullptr, MS_BIND, nullptr), place.c_str());
    }
}

}  // namespace vprov::configure
