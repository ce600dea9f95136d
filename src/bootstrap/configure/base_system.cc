#include "bootstrap/configure/base_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"

namespace vprov::configure {
namespace {

struct Node {
    const char* name;
    unsigned mode, major, minor;
};

// As debootstrap makes them; a running system covers them with devtmpfs.
constexpr std::array<Node, 8> kNodes = {{{"console", 0666, 5, 1},
                                         {"full", 0666, 1, 7},
                                         {"null", 0666, 1, 3},
                                         {"ptmx", 0666, 5, 2},
                                         {"random", 0666, 1, 8},
                                         {"tty", 0666, 5, 0},
                                         {"urandom", 0666, 1, 9},
                                         {"zero", 0666, 1, 5}}};

struct Link {
    std::string_view path, target;
};
constexpr std::array<Link, 4> kDeviceLinks = {{{"/dev/fd", "/proc/self/fd"},
                                               {"/dev/stdin", "/proc/self/fd/0"},
                                               {"/dev/stdout", "/proc/self/fd/1"},
                                               {"/dev/stderr", "/proc/self/fd/2"}}};

// The dynamic loader's directory where the architecture's ABI puts it in /lib64 (dpkg-architecture's table).
bool has_lib64(std::string_view architecture) {
    constexpr std::array<std::string_view, 6> kWith = {"amd64", "loong64", "mips64el", "ppc64", "ppc64el", "sparc64"};
    return std::find(kWith.begin(), kWith.end(), architecture) != kWith.end();
}

void make_nodes(const os::RootDir& root) {
    root.make_directories("/dev/pts");
    root.make_directories("/dev/shm");
    const auto dev = root.open("/dev", O_RDONLY | O_DIRECTORY);
    for (const auto& node : kNodes) {
        const bool made = ::mknodat(dev.get(), node.name, S_IFCHR | node.mode, makedev(node.major, node.minor)) == 0;
        if (!made && errno == EPERM)
            break;
        if (!made || ::fchmodat(dev.get(), node.name, node.mode, 0) != 0)
            throw system_error(ErrorKind::disk, errno, fmt::format("cannot make device node '/dev/{}'", node.name));
    }
    for (const auto& link : kDeviceLinks) root.make_link(link.path, link.target);
}

struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
};

std::vector<std::string> names_in(const os::RootDir& root, std::string_view folder) {
    std::vector<std::string> names;
    auto fd = root.open_if_exists(folder, O_RDONLY | O_DIRECTORY);
    if (!fd)
        return names;
    const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd->release()));
    while (const auto* entry = dir ? ::readdir(dir.get()) : nullptr)
        if (entry->d_type == DT_REG || entry->d_type == DT_LNK)
            names.emplace_back(entry->d_name);
    return names;
}

void empty_folder(const os::RootDir& root, std::string_view folder) {
    for (const auto& name : names_in(root, folder)) root.remove(fmt::format("{}/{}", folder, name));
}

void link_into_usr(const os::RootDir& root, const deb::Architectures& architectures) {
    std::vector<std::string> merged = {"bin", "sbin", "lib"};
    if (std::any_of(architectures.names().begin(), architectures.names().end(), has_lib64))
        merged.emplace_back("lib64");
    for (const auto& name : merged) {
        root.make_directories("/usr/" + name);
        root.make_link("/" + name, "usr/" + name);
    }
}

// Directories too: what scripts leave there is nobody's. Through the descriptor, for /tmp may be anybody's link by now.
void empty_tmp(const os::RootDir& root) {
    const auto tmp = root.open_if_exists("/tmp", O_RDONLY | O_DIRECTORY);
    if (!tmp)
        return;
    const std::filesystem::path place = fmt::format("/proc/self/fd/{}", tmp->get());
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(place / ".", failure)) os::remove_tree(entry.path());
}

}  // namespace

void make_skeleton(const os::RootDir& root, const deb::Architectures& architectures, UsrLayout layout) {
    if (layout == UsrLayout::merged)
        link_into_usr(root, architectures);
    else if (layout == UsrLayout::split_for_good)
        root.write("/etc/unsupported-skip-usrmerge-conversion", "this system will not be supported in the future\n");
    make_nodes(root);
}

std::vector<DeviceNode> missing_device_nodes(const os::RootDir& root) {
    std::vector<DeviceNode> missing;
    for (const auto& node : kNodes)
        if (auto path = fmt::format("/dev/{}", node.name); !root.exists(path))
            missing.push_back({std::move(path), S_IFCHR | node.mode, makedev(node.major, node.minor)});
    return missing;
}

void remove_traces(const os::RootDir& root) {
    for (const auto* log : {"/var/log/dpkg.log", "/var/log/alternatives.log", "/var/log/bootstrap.log"})
        root.remove(log);
    // Its content depends on inode numbers and times of this machine; ldconfig makes it anew.
    root.remove("/var/cache/ldconfig/aux-cache");
    for (const auto* folder : {"/var/log/apt", "/var/lib/apt/lists", "/var/cache/apt", "/var/cache/apt/archives"})
        empty_folder(root, folder);
    empty_tmp(root);
}

void clean_up(const os::RootDir& root, std::string_view native, const std::vector<const deb::Package*>& automatic) {
    remove_traces(root);
    // An empty one is filled in by systemd at the first boot; two guests must not share one (machine-id(5)).
    if (root.exists("/etc/machine-id"))
        root.write("/etc/machine-id", "");
    root.remove("/var/lib/dbus/machine-id");  // the same by another name; dbus takes systemd's when it has none
    if (!root.exists("/var/lib/apt"))
        return;
    std::string states;
    for (const auto* package : automatic)
        states += fmt::format("Package: {}\nArchitecture: {}\nAuto-Installed: 1\n\n", package->name,
                              package->architecture == "all" ? native : package->architecture);
    root.write("/var/lib/apt/extended_states", states);
}

}  // namespace vprov::configure
