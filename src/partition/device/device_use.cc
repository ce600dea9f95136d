#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/device/device.h"
#include "partition/device/device_content.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

dev_t number_of(const fs::path& device) {
    struct stat status {};
    if (::stat(device.c_str(), &status) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot use " + quote(device.native()));
    if (!S_ISBLK(status.st_mode))
        throw error(ErrorKind::disk, "cannot use {}: it is no block device", quote(device.native()));
    return status.st_rdev;
}

fs::path sysfs_of(dev_t number) {
    return fmt::format("/sys/dev/block/{}:{}", major(number), minor(number));
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure))
        names.push_back(entry->path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

// The device and its partitions, by number.
std::map<dev_t, std::string> with_partitions(const fs::path& device) {
    std::map<dev_t, std::string> all;
    const auto whole = number_of(device);
    all[whole] = device.native();
    const auto folder = sysfs_of(whole);
    for (const auto& name : names_in(folder)) {
        unsigned number_major = 0, number_minor = 0;
        if (!fs::exists(folder / name / "partition"))
            continue;
        const auto text = os::read_file(folder / name / "dev");
        if (std::sscanf(text.c_str(), "%u:%u", &number_major, &number_minor) == 2)
            all[makedev(number_major, number_minor)] = "/dev/" + name;
    }
    return all;
}

std::optional<dev_t> block_number(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISBLK(status.st_mode))
        return std::nullopt;
    return status.st_rdev;
}

// proc(5): octal for blanks.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

void add_mounts(const std::map<dev_t, std::string>& devices, std::vector<std::string>& uses) {
    const auto text = os::read_file("/proc/self/mountinfo");
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (words.size() < 7 || words.end() - dash < 3)
            continue;
        unsigned number_major = 0, number_minor = 0;
        const std::string number(words[2]);
        if (std::sscanf(number.c_str(), "%u:%u", &number_major, &number_minor) != 2)
            continue;
        auto found = devices.find(makedev(number_major, number_minor));
        if (const auto source = block_number(unescaped(*(dash + 2))); found == devices.end() && source)
            found = devices.find(*source);  // btrfs has a number of its own
        if (found != devices.end())
            uses.push_back(fmt::format("{} is mounted at {}", found->second, quote(unescaped(words[4]))));
    }
}

void add_swaps(const std::map<dev_t, std::string>& devices, std::vector<std::string>& uses) {
    std::string text;
    try {
        text = os::read_file("/proc/swaps");
    } catch (const Error&) {
        return;  // a kernel without swap space
    }
    for (const auto line : split(text, '\n'))
        if (const auto words = split_words(line); !words.empty())
            if (const auto number = block_number(unescaped(words[0])))
                if (const auto found = devices.find(*number); found != devices.end())
                    uses.push_back(fmt::format("{} is swap space in use", found->second));
}

void add_holders(const std::map<dev_t, std::string>& devices, std::vector<std::string>& uses) {
    for (const auto& [number, name] : devices)
        for (const auto& holder : names_in(sysfs_of(number) / "holders")) {
            std::string called = holder;
            const auto mapped = sysfs_of(number) / "holders" / holder / "dm/name";
            if (fs::exists(mapped))
                called += fmt::format(" ({})", trimmed(os::read_file(mapped)));
            uses.push_back(fmt::format("{} is part of {}", name, called));
        }
}

// A loop device holds what it is attached to without claiming it.
void add_loops(const std::map<dev_t, std::string>& devices, std::vector<std::string>& uses) {
    for (const auto& name : names_in("/sys/block")) {
        std::string backing;
        try {
            backing = os::read_file(fs::path("/sys/block") / name / "loop/backing_file");
        } catch (const Error&) {
            continue;  // another device, or one that is not attached
        }
        if (const auto number = block_number(std::string(trimmed(backing))))
            if (const auto found = devices.find(*number); found != devices.end())
                uses.push_back(fmt::format("{} is attached as /dev/{}", found->second, name));
    }
}

// QEMU opens the disks of its guests without claiming them, and locks bytes of them (block/file-posix.c).
bool is_locked(int fd) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

void add_claims(const std::map<dev_t, std::string>& devices, std::vector<std::string>& uses) {
    for (const auto& [number, name] : devices) {
        const os::Fd fd(::open(name.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
        if (!fd.is_open() && errno == EBUSY)
            uses.push_back(fmt::format("{} is used by the kernel or another program", name));
        else if (fd.is_open() && is_locked(fd.get()))
            uses.push_back(fmt::format("{} is locked by another program, as QEMU locks its guests' disks", name));
    }
}

}  // namespace

std::vector<std::string> uses_of(const fs::path& device) {
    const auto devices = with_partitions(device);
    std::vector<std::string> uses;
    add_mounts(devices, uses);
    add_swaps(devices, uses);
    add_holders(devices, uses);
    add_loops(devices, uses);
    if (uses.empty())
        add_claims(devices, uses);
    return uses;
}

bool overlap(const fs::path& one, const fs::path& other) {
    return with_partitions(one).contains(number_of(other)) || with_partitions(other).contains(number_of(one));
}

}  // namespace vprov::partition
