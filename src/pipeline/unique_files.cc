#include "pipeline/unique_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/version.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

constexpr const char* kRsaKey = "etc/ssh/ssh_host_rsa_key";
constexpr std::string_view kHostKeys = "etc/ssh/ssh_host_";  // sshd(8): ssh_host_TYPE_key and its .pub

// Not readable by all, and the same in every tree of the same packages.
constexpr std::array<std::string_view, 13> kShared = {
    "etc/shadow",
    "etc/shadow-",
    "etc/gshadow",
    "etc/gshadow-",
    "etc/subuid-",
    "etc/subgid-",
    "etc/group-",
    "etc/passwd-",
    "etc/.pwd.lock",  // lckpwdf(3), empty
    "var/lib/dpkg/",  // locks and the database
    "var/lib/apt/",   // the same of apt
    "var/lib/systemd/deb-systemd-",
    "var/lib/ucf/",  // ucf(1): digests of configuration files
};

bool is_shared(std::string_view path) {
    return std::any_of(kShared.begin(), kShared.end(), [&](auto known) {
        return known.ends_with('/') || known.ends_with('-') ? path.starts_with(known) : path == known;
    });
}

std::vector<std::string> unreadable_files(const fs::path& tree, const char* folder) {
    std::vector<std::string> found;
    std::error_code failure;
    for (fs::recursive_directory_iterator place(tree / folder, failure), end; !failure && place != end;
         place.increment(failure)) {
        struct stat status {};
        if (::lstat(place->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
            continue;
        auto path = place->path().lexically_relative(tree).native();
        const bool key = path.starts_with(kHostKeys);
        if (key || ((status.st_mode & S_IROTH) == 0 && !is_shared(path)))
            found.push_back(std::move(path));
    }
    if (failure && failure != std::errc::no_such_file_or_directory)
        throw error(ErrorKind::disk, "cannot look through {}: {}", quote((tree / folder).native()), failure.message());
    return found;
}

std::unordered_set<std::string> shipped_files(const os::RootDir& tree) {
    std::unordered_set<std::string> shipped;
    for (const auto& file : fs::directory_iterator(tree.path() / "var/lib/dpkg/info")) {
        if (file.path().extension() != ".list")
            continue;
        const auto text = tree.read("/var/lib/dpkg/info/" + file.path().filename().native());
        for (const auto line : split(text, '\n')) shipped.emplace(line);
    }
    return shipped;
}

std::string key_type(std::string_view path) {
    path.remove_prefix(kHostKeys.size());
    return std::string(path.substr(0, path.find('_')));
}

std::string comment_for(std::string_view hostname) {
    return fmt::format("root@{}", hostname);
}

void write_key(const os::RootDir& tree, const std::string& path, const render::HostKeyPair& pair) {
    tree.write(path, pair.private_key, 0600);
    tree.write(path + ".pub", pair.public_key);
}

}  // namespace

UniqueFiles find_unique_files(const os::RootDir& tree) {
    auto candidates = unreadable_files(tree.path(), "etc");
    for (auto& path : unreadable_files(tree.path(), "var/lib")) candidates.push_back(std::move(path));
    std::ranges::sort(candidates);
    UniqueFiles unique;
    if (candidates.empty())
        return unique;
    const auto shipped = shipped_files(tree);
    for (const auto& path : candidates) {
        if (path.starts_with(kHostKeys))
            unique.known.push_back(path);
        else if (unique.unknown.empty() && !shipped.contains("/" + path))
            unique.unknown = path;
    }
    return unique;
}

void make_unique_files(const os::RootDir& tree, const std::vector<std::string>& known, std::string_view hostname,
                       render::PrivateKeyFormat format, const std::map<std::string, std::string>& given,
                       render::EarlyHostKey* early) {
    for (const auto& path : known) {
        if (!path.starts_with(kHostKeys) || path.ends_with(".pub"))
            continue;
        const auto type = render::key_algorithm(key_type(path));
        if (!type)
            throw error(ErrorKind::disk, "cannot make {}: there is no key of that type", quote("/" + path));
        const auto secret = given.find(path), open = given.find(path + ".pub");
        if (secret != given.end() && open != given.end())
            write_key(tree, path, {secret->second, open->second});
        else if (early && path == kRsaKey)
            write_key(tree, path, early->take());
        else
            write_key(tree, path, render::make_host_key(*type, format, comment_for(hostname)));
    }
}

render::PrivateKeyFormat host_key_format(const resolve::PackageSet& packages) {
    constexpr std::string_view kFirst = "1:7.8";
    for (const auto& [package, automatic] : packages.packages)
        if (package->name == "openssh-server" && deb::compare_versions(package->version, kFirst) < 0)
            return render::PrivateKeyFormat::pem;
    return render::PrivateKeyFormat::openssh;
}

std::unique_ptr<render::EarlyHostKey> begin_host_key(const resolve::PackageSet& packages, std::string_view hostname,
                                                     render::EarlyHostKey::Haste haste) {
    const bool has_server = std::ranges::any_of(
        packages.packages, [](const auto& selected) { return selected.package->name == "openssh-server"; });
    if (!has_server)
        return nullptr;
    return std::make_unique<render::EarlyHostKey>(render::KeyAlgorithm::rsa, host_key_format(packages),
                                                  comment_for(hostname), haste);
}

void place_host_key(const os::RootDir& tree, render::EarlyHostKey& early) {
    if (!tree.exists("/etc/ssh/sshd_config") && !tree.exists(kRsaKey))
        write_key(tree, kRsaKey, early.take());
}

}  // namespace vprov::pipeline
