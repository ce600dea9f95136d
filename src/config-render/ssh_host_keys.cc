#include "config-render/ssh_host_keys.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <array>
#include <memory>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/tree_files.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kRsaBits = 3072;
constexpr std::size_t kLineLength = 70;  // of ssh-keygen's base64
constexpr std::size_t kCipherBlock = 8;  // of "none"

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
struct FreeNumber {
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

[[noreturn]] void fail() {
    throw error(ErrorKind::internal, "internal error: libcrypto cannot make a host key");
}

// RFC 4251, 5.
std::string uint32_of(std::size_t value) {
    std::string out;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 0xff);
    return out;
}

std::string string_of(std::string_view text) {
    return uint32_of(text.size()) + std::string(text);
}

std::string mpint_of(const Number& number) {
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
    BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
    if (!bytes.empty() && (bytes.front() & 0x80) != 0)
        bytes.insert(bytes.begin(), '\0');  // or it would be negative
    return string_of(bytes);
}

Number number_of(const Key& key, const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1)
        fail();
    return Number(number);
}

std::string base64_of(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

// The key in two forms; both begin with its type.
struct Blobs {
    std::string type, public_blob, private_fields;
};

Blobs new_rsa() {
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBits));
    if (!key)
        fail();
    const auto field = [&](const char* name) { return mpint_of(number_of(key, name)); };
    const auto type = string_of("ssh-rsa");
    const auto n = field(OSSL_PKEY_PARAM_RSA_N), e = field(OSSL_PKEY_PARAM_RSA_E);
    return {"ssh-rsa", type + e + n,
            type + n + e + field(OSSL_PKEY_PARAM_RSA_D) + field(OSSL_PKEY_PARAM_RSA_COEFFICIENT1) +
                field(OSSL_PKEY_PARAM_RSA_FACTOR1) + field(OSSL_PKEY_PARAM_RSA_FACTOR2)};
}

Blobs new_ecdsa() {
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    std::array<unsigned char, 65> point{};  // uncompressed: 4 and two coordinates of 32 bytes
    std::size_t size = 0;
    if (!key ||
        EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 ||
        size != point.size() || point[0] != 4)
        fail();
    const auto start = string_of("ecdsa-sha2-nistp256") + string_of("nistp256") +
                       string_of({reinterpret_cast<const char*>(point.data()), point.size()});
    return {"ecdsa-sha2-nistp256", start, start + mpint_of(number_of(key, OSSL_PKEY_PARAM_PRIV_KEY))};
}

Blobs new_ed25519() {
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    std::array<unsigned char, 32> secret{}, open{};
    std::size_t secret_size = secret.size(), open_size = open.size();
    if (!key || EVP_PKEY_get_raw_private_key(key.get(), secret.data(), &secret_size) != 1 ||
        EVP_PKEY_get_raw_public_key(key.get(), open.data(), &open_size) != 1)
        fail();
    const std::string public_key(reinterpret_cast<const char*>(open.data()), open_size);
    const std::string seed(reinterpret_cast<const char*>(secret.data()), secret_size);
    const auto start = string_of("ssh-ed25519") + string_of(public_key);
    return {"ssh-ed25519", start, start + string_of(seed + public_key)};
}

Blobs new_blobs(HostKeyType type) {
    switch (type) {
        case HostKeyType::rsa:
            return new_rsa();
        case HostKeyType::ecdsa:
            return new_ecdsa();
        case HostKeyType::ed25519:
            return new_ed25519();
    }
    fail();
}

// PROTOCOL.key of OpenSSH, without a cipher.
std::string private_file(const Blobs& blobs, std::string_view comment) {
    std::array<unsigned char, 4> check{};
    if (RAND_bytes(check.data(), static_cast<int>(check.size())) != 1)
        fail();
    const std::string number(reinterpret_cast<const char*>(check.data()), check.size());
    auto secret = number + number + blobs.private_fields + string_of(comment);
    for (char pad = 1; secret.size() % kCipherBlock != 0; ++pad) secret += pad;
    const auto base64 = base64_of(std::string("openssh-key-v1") + '\0' + string_of("none") + string_of("none") +
                                  string_of("") + uint32_of(1) + string_of(blobs.public_blob) + string_of(secret));
    std::string text = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    for (std::size_t at = 0; at < base64.size(); at += kLineLength) text += base64.substr(at, kLineLength) + "\n";
    return text + "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string_view name_of(HostKeyType type) {
    constexpr std::array<std::string_view, 3> kNames = {"rsa", "ecdsa", "ed25519"};
    return kNames.at(static_cast<std::size_t>(type));
}

GuestFile secret_file(std::string path, std::string content) {
    GuestFile file{std::move(path), std::move(content), 0600};
    file.secret = true;
    return file;
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

std::optional<HostKeyType> host_key_type(std::string_view name) {
    for (const auto type : {HostKeyType::rsa, HostKeyType::ecdsa, HostKeyType::ed25519})
        if (name_of(type) == name)
            return type;
    return std::nullopt;
}

std::vector<GuestFile> new_host_key(HostKeyType type, std::string_view comment) {
    const auto blobs = new_blobs(type);
    const auto path = fmt::format("/etc/ssh/ssh_host_{}_key", name_of(type));
    return {secret_file(path, private_file(blobs, comment)),
            {path + ".pub", fmt::format("{} {} {}\n", blobs.type, base64_of(blobs.public_blob), comment)}};
}

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
    if (!blob.starts_with(string_of(words[0])))
        return std::nullopt;
    const auto digest = sha256(blob).bytes;
    auto text = base64_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
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
