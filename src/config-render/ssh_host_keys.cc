#include "config-render/ssh_host_keys.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/tree_files.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

GuestFile secret_file(std::string path, std::string content) {
    GuestFile file{std::move(path), std::move(content), 0600};
    file.secret = true;
    return file;
}

// RFC 4253, 6.6: behind its length, in four bytes.
bool begins_with_type(std::string_view blob, std::string_view type) {
    const std::string length = {0, 0, static_cast<char>(type.size() >> 8 & 0xff),
                                static_cast<char>(type.size() & 0xff)};
    return blob.starts_with(length) && blob.substr(length.size()).starts_with(type);
}

bool is_private_key(std::string_view name) {
    return name.starts_with("ssh_host_") && name.ends_with("_key");
}

std::string private_text(const fs::path& path) {
    const auto fd = os::open_file(path, O_RDONLY, 0, ErrorKind::recipe);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        throw system_error(ErrorKind::recipe, errno, "cannot read " + quote(path.native()));
    if (status.st_mode & S_IROTH)
        throw error(ErrorKind::recipe, "cannot take the host key {}: everybody can read it (chmod o-r {})",
                    quote(path.native()), shell_quote(path.native()));
    return os::read_file(fd, path.native(), ErrorKind::recipe);
}

}  // namespace

std::vector<GuestFile> given_host_keys(const plan::Plan& plan) {
    const auto folder = recipe::host_path(plan.recipe, *plan.recipe.identity.ssh_host_keys);
    std::error_code failure;
    if (!fs::is_directory(folder, failure))
        throw error(ErrorKind::recipe, "cannot take host keys from {}: it is no directory", quote(folder.native()));
    std::vector<GuestFile> files;
    for (const auto& name : os::sorted_names(folder)) {
        if (!is_private_key(name))
            continue;
        const auto open = os::read_file(folder / (name + ".pub"), ErrorKind::recipe);
        if (!read_public_key(open))
            throw error(ErrorKind::recipe, "cannot take the host key {}: that is no public key",
                        quote((folder / (name + ".pub")).native()));
        files.push_back(secret_file("/etc/ssh/" + name, private_text(folder / name)));
        files.push_back({"/etc/ssh/" + name + ".pub", open});
    }
    if (files.empty())
        throw error(ErrorKind::recipe, "cannot take host keys from {}: there is no ssh_host_*_key",
                    quote(folder.native()));
    return files;
}

std::optional<HostKey> read_public_key(std::string_view line) {
    const auto words = split_words(line);
    if (words.size() < 2 || words[1].empty() || words[1].size() % 4 != 0)
        return std::nullopt;
    std::string blob(words[1].size() / 4 * 3, '\0');
    const auto size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(blob.data()),
                        reinterpret_cast<const unsigned char*>(words[1].data()), static_cast<int>(words[1].size()));
    if (size < 0)
        return std::nullopt;
    blob.resize(static_cast<std::size_t>(size) - (words[1].ends_with("==") ? 2 : words[1].ends_with('=') ? 1 : 0));
    if (!begins_with_type(blob, words[0]))
        return std::nullopt;
    const auto digest = sha256(blob).bytes;
    auto text = encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
    while (text.ends_with('=')) text.pop_back();
    return HostKey{std::string(words[0]), "SHA256:" + text};
}

std::vector<HostKey> host_keys(const os::RootDir& root) {
    std::vector<HostKey> keys;
    const auto folder = root.open_if_exists("/etc/ssh", O_RDONLY | O_DIRECTORY);
    if (!folder)
        return keys;
    for (const auto& name : os::sorted_names(fmt::format("/proc/self/fd/{}", folder->get())))
        if (name.starts_with("ssh_host_") && name.ends_with(".pub"))
            if (auto key = read_public_key(root.read("/etc/ssh/" + name)))
                keys.push_back(std::move(*key));
    return keys;
}

}  // namespace vprov::render
