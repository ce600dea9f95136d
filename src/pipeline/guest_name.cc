#include "pipeline/guest_name.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "pipeline/skeleton.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

// ssl-cert signs a certificate for the name; samba cuts it to 15 letters; the others keep it in databases of their own.
constexpr std::array<std::string_view, 9> kNeedName = {"ssl-cert",        "samba-common", "mariadb-server",
                                                       "mysql-server",    "krb5-kdc",     "sendmail-base",
                                                       "rabbitmq-server", "slapd",        "puppet-agent"};

std::string content_of(const char* path) {
    const auto file = os::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return os::read_file(file, path);
}

bool is_text(std::string_view content) {
    return content.find('\0') == std::string_view::npos;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto place = text.find(what); place != std::string::npos; place = text.find(what, place + by.size()))
        text.replace(place, what.size(), by);
}

}  // namespace

NamedFiles find_named_files(const fs::path& tree, std::int64_t date, const std::vector<std::string>& left_out) {
    std::string root = tree.string();
    std::array<char*, 2> roots = {root.data(), nullptr};
    const std::unique_ptr<FTS, int (*)(FTS*)> walk(
        ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), ::fts_close);
    NamedFiles found;
    while (auto* entry = walk ? ::fts_read(walk.get()) : nullptr) {
        if (entry->fts_info != FTS_F || entry->fts_statp->st_mtim.tv_sec < date || entry->fts_statp->st_size == 0)
            continue;
        const auto content = content_of(entry->fts_accpath);
        if (content.find(kUnnamedGuest) == std::string::npos)
            continue;
        auto path = fs::path(entry->fts_path).lexically_relative(tree).native();
        if (std::ranges::find(left_out, path) != left_out.end())
            continue;
        if (is_text(content) && is_in_skeleton(path))
            found.text.push_back(std::move(path));
        else if (found.other.empty() || path < found.other)
            found.other = std::move(path);
    }
    std::ranges::sort(found.text);
    return found;
}

void write_name(const os::RootDir& tree, const std::vector<std::string>& files, std::string_view hostname) {
    for (const auto& path : files) {
        const auto fd = tree.open(path, O_RDWR | O_NOFOLLOW);
        auto content = os::read_file(fd, path);
        replace_all(content, kUnnamedGuest, hostname);
        if (::lseek(fd.get(), 0, SEEK_SET) != 0 || ::ftruncate(fd.get(), 0) != 0)
            throw system_error(ErrorKind::disk, errno, fmt::format("cannot write {} in the guest's tree", quote(path)));
        os::write_all(fd.get(), content, path);
    }
}

std::string_view package_that_needs_name(const resolve::PackageSet& packages) {
    for (const auto& [package, automatic] : packages.packages)
        if (std::ranges::find(kNeedName, package->name) != kNeedName.end())
            return package->name;
    return {};
}

}  // namespace vprov::pipeline
