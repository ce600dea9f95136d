#include "hypervisor/launch/confinement.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

constexpr const char* kSystemUser = "vprov-qemu";

struct IdRange {
    std::uint32_t first, count;
};
// In order of preference. The first has room for every pid that Linux gives (PID_MAX_LIMIT).
constexpr std::array<IdRange, 2> kRanges = {{{0x70000000, 1 << 22}, {61184, 4336}}};

// /proc/self/uid_map or gid_map: lines of first id in here, first id outside, and how many.
bool is_mapped(const char* map, const IdRange& range) {
    const auto text = os::read_file(map);
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        if (words.size() != 3)
            continue;
        std::uint64_t first = 0, count = 0;
        std::from_chars(words[0].data(), words[0].data() + words[0].size(), first);
        std::from_chars(words[2].data(), words[2].data() + words[2].size(), count);
        if (range.first >= first && std::uint64_t{range.first} + range.count <= first + count)
            return true;
    }
    return false;
}

bool has_capabilities(std::initializer_list<int> wanted) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0)
        return false;
    return std::all_of(wanted.begin(), wanted.end(), [&](int capability) {
        return (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
    });
}

bool groups_are_fixed() {
    const os::Fd fd(::open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC));
    return fd.is_open() && os::read_file(fd, "/proc/self/setgroups").starts_with("deny");
}

void drop_capability_bounds() noexcept {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        ::prctl(PR_CAPBSET_DROP, capability);  // refused without CAP_SETPCAP; PR_SET_NO_NEW_PRIVS does the same
}

int become(const Confinement& confinement) noexcept {
    const auto shift = confinement.ids_for_pids ? static_cast<unsigned>(::getpid()) % confinement.ids_for_pids : 0;
    const auto uid = confinement.user->uid + shift;
    const auto gid = confinement.user->gid + shift;
    if (!confinement.keeps_groups && ::setgroups(confinement.groups.size(), confinement.groups.data()) != 0)
        return errno;
    if (::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0)
        return errno;
    return 0;
}

int drop_capabilities() noexcept {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return ::syscall(SYS_capset, &header, none.data()) == 0 ? 0 : errno;
}

// A supervisor that sshd or systemd protects does not make its guests any safer from the kernel than others are.
void give_up_oom_protection() noexcept {
    const int fd = ::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char sign = 0;
    if (fd >= 0 && ::read(fd, &sign, 1) == 1 && sign == '-') [[maybe_unused]]
        const auto written = ::pwrite(fd, "0", 1, 0);
    if (fd >= 0)
        ::close(fd);
}

}  // namespace

Confinement choose_confinement(Engine engine) {
    Confinement result;
    if (::geteuid() != 0)
        return result;
    const auto* const range = std::find_if(kRanges.begin(), kRanges.end(), [](const IdRange& candidate) {
        return is_mapped("/proc/self/uid_map", candidate) && is_mapped("/proc/self/gid_map", candidate);
    });
    if (const auto* const account = ::getpwnam(kSystemUser); account && account->pw_uid != 0)
        result.user = {account->pw_uid, account->pw_gid};
    else if (range != kRanges.end()) {
        result.user = {range->first, range->first};
        result.ids_for_pids = range->count;
    }
    if (!result.user || !has_capabilities({CAP_SETUID, CAP_SETGID})) {
        result.user.reset();
        result.warning = "QEMU runs as root: this process may not become another user";
        return result;
    }
    result.keeps_groups = groups_are_fixed();
    struct stat kvm {};
    if (engine == Engine::kvm && ::stat("/dev/kvm", &kvm) == 0 && kvm.st_gid != 0)
        result.groups = {kvm.st_gid};
    return result;
}

int confine(const Confinement& confinement) noexcept {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    give_up_oom_protection();
    drop_capability_bounds();
    if (confinement.user)
        if (const int why = become(confinement); why != 0)
            return why;
    if (const int why = drop_capabilities(); why != 0)
        return why;
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

bool others_can_open_kvm() {
    struct stat kvm {};
    constexpr mode_t kGroup = S_IRGRP | S_IWGRP, kOthers = S_IROTH | S_IWOTH;
    return ::stat("/dev/kvm", &kvm) != 0 || (kvm.st_mode & kOthers) == kOthers ||
           ((kvm.st_mode & kGroup) == kGroup && kvm.st_gid != 0);
}

}  // namespace vprov::hypervisor
