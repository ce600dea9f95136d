#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "plan/apt_sources.h"
#include "plan/plan.h"

namespace vprov::plan {
namespace {
namespace fs = std::filesystem;

// uname(2)'s machine to Debian's name, as in dpkg's cputable.
std::string debian_architecture() {
    struct Machine {
        std::string_view machine, architecture;
    };
    constexpr std::array<Machine, 11> kMachines = {{{"x86_64", "amd64"},
                                                    {"aarch64", "arm64"},
                                                    {"i686", "i386"},
                                                    {"i586", "i386"},
                                                    {"armv7l", "armhf"},
                                                    {"armv6l", "armel"},
                                                    {"armv5tel", "armel"},
                                                    {"ppc64le", "ppc64el"},
                                                    {"mips64", "mips64el"},
                                                    {"loongarch64", "loong64"},
                                                    {"riscv64", "riscv64"}}};
    struct utsname names {};
    ::uname(&names);
    const std::string_view machine = names.machine;
    const auto found =
        std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& m) { return m.machine == machine; });
    return std::string(found == kMachines.end() ? machine : found->architecture);
}

using Parser = std::vector<HostRepository> (*)(std::string_view);

void add_file(const fs::path& file, Parser parse, std::vector<HostRepository>& sources) {
    try {
        std::ranges::move(parse(os::read_file(file)), std::back_inserter(sources));
    } catch (const Error&) {
        return;  // not there, or not for this user: the plan says which mirror it takes
    }
}

std::vector<HostRepository> apt_sources(const fs::path& apt_directory) {
    std::vector<HostRepository> sources;
    add_file(apt_directory / "sources.list", parse_one_line_sources, sources);
    std::vector<fs::path> files;
    std::error_code failure;
    for (fs::directory_iterator entry(apt_directory / "sources.list.d", failure), end; !failure && entry != end;
         entry.increment(failure))
        files.push_back(entry->path());
    std::sort(files.begin(), files.end());  // the order of apt
    for (const auto& file : files) {
        if (file.extension() == ".list")
            add_file(file, parse_one_line_sources, sources);
        else if (file.extension() == ".sources")
            add_file(file, parse_deb822_sources, sources);
    }
    return sources;
}

std::optional<BlockDevice> block_device(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return std::nullopt;
    if (!S_ISBLK(status.st_mode))
        throw error(ErrorKind::disk, "cannot use {}: it is no block device", quote(path.native()));
    const auto fd = os::open_file(path, O_RDONLY);
    std::uint64_t size = 0;
    int sector = 0;
    if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0 || ::ioctl(fd.get(), BLKSSZGET, &sector) != 0)
        throw system_error(ErrorKind::disk, errno, fmt::format("cannot find the size of {}", quote(path.native())));
    return BlockDevice{{size}, static_cast<std::uint32_t>(sector)};
}

}  // namespace

HostFacts read_host_facts(const fs::path& apt_directory) {
    HostFacts facts;
    facts.now = std::time(nullptr);
    facts.architecture = debian_architecture();
    facts.apt_sources = apt_sources(apt_directory);
    facts.default_mirror = VPROV_DEFAULT_MIRROR;
    facts.default_security_mirror = VPROV_DEFAULT_SECURITY_MIRROR;
    facts.file_exists = [](const fs::path& path) {
        std::error_code failure;
        return fs::is_regular_file(path, failure);
    };
    facts.directory_exists = [](const fs::path& path) {
        std::error_code failure;
        return fs::is_directory(path, failure);
    };
    facts.read_file = [](const fs::path& path) { return os::read_file(path, ErrorKind::recipe); };
    facts.block_device = block_device;
    return facts;
}

}  // namespace vprov::plan
