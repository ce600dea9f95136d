#include "config-render/passwords.h"

#include <crypt.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/random.h"

namespace vprov::render {
namespace {
using recipe::Password;

constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::size_t kRandomLength = 20;

std::string hash_in_file(const std::filesystem::path& file, std::string_view whose) {
    const auto fd = os::open_file(file, O_RDONLY, 0, ErrorKind::recipe);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        throw system_error(ErrorKind::recipe, errno, "cannot read " + quote(file.native()));
    if (status.st_mode & S_IROTH)
        throw error(ErrorKind::recipe, "cannot take the password of {} from {}: everybody can read it (chmod o-r {})",
                    whose, quote(file.native()), shell_quote(file.native()));
    return std::string(trimmed(os::read_file(fd, file.native(), ErrorKind::recipe)));
}

std::string checked_hash(std::string hash, std::string_view from, std::string_view whose) {
    if (!is_password_hash(hash))
        throw error(ErrorKind::recipe, "cannot set the password of {}: {} is not a password hash (mkpasswd prints one)",
                    whose, from);
    return hash;
}

std::string variable(const std::string& name, std::string_view whose) {
    const char* value = std::getenv(name.c_str());
    if (!value || !*value)
        throw error(ErrorKind::recipe, "cannot set the password of {}: the environment variable {} is not set", whose,
                    quote(name));
    return value;
}

std::string yescrypt(const std::string& clear) {
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    const auto state = std::make_unique<crypt_data>();
    if (!::crypt_gensalt_rn("$y$", 0, nullptr, 0, setting.data(), static_cast<int>(setting.size())))
        throw system_error(ErrorKind::internal, errno, "cannot make a salt");
    const char* hash = ::crypt_rn(clear.c_str(), setting.data(), state.get(), sizeof *state);
    if (!hash)
        throw system_error(ErrorKind::internal, errno, "cannot hash a password");
    return hash;
}

}  // namespace

bool is_password_hash(std::string_view text) {
    const auto is_allowed = [](char c) { return c > ' ' && c < 0x7f && c != ':' && c != ';' && c != '\\'; };
    if (text.empty() || !std::ranges::all_of(text, is_allowed))
        return false;
    if (text == "*" || text == "!" || text == "!*" || text == "!!")
        return true;
    if (text.starts_with("!"))
        text.remove_prefix(1);
    // "$id$salt$hash" at least
    return text.starts_with("$") && std::ranges::count(text, '$') >= 3;
}

bool is_hash_of(const std::string& hash, const std::string& clear) {
    const auto state = std::make_unique<crypt_data>();
    const char* made = ::crypt_rn(clear.c_str(), hash.c_str(), state.get(), sizeof *state);
    return made && hash == made;
}

std::string random_password() {
    std::string password;
    while (password.size() < kRandomLength) {
        std::array<unsigned char, 64> bytes{};
        os::fill_with_random(std::as_writable_bytes(std::span(bytes)));
        for (const auto byte : bytes)
            // bytes above the last whole round of letters would favour the first ones
            if (byte < 256 / kLetters.size() * kLetters.size() && password.size() < kRandomLength)
                password += kLetters[byte % kLetters.size()];
    }
    return password;
}

std::string password_text(const Password& password, const std::filesystem::path& folder, std::string_view whose) {
    switch (password.source) {
        case Password::Source::hash:
            return checked_hash(password.value, "what the recipe gives", whose);
        case Password::Source::hash_file: {
            const auto file = folder / password.value;
            return checked_hash(hash_in_file(file, whose), "the content of " + quote(file.native()), whose);
        }
        case Password::Source::environment:
            return variable(password.value, whose);
        case Password::Source::random:
            return "";
    }
    throw error(ErrorKind::internal, "internal error: a password from nowhere");
}

HashedPassword hashed_password(const Password& password, const std::filesystem::path& folder, std::string_view whose) {
    auto text = password_text(password, folder, whose);
    switch (password.source) {
        case Password::Source::hash:
        case Password::Source::hash_file:
            return {std::move(text), std::nullopt};
        case Password::Source::environment:
            return {yescrypt(text), std::nullopt};
        case Password::Source::random:
            text = random_password();
            return {yescrypt(text), text};
    }
    throw error(ErrorKind::internal, "internal error: a password from nowhere");
}

}  // namespace vprov::render
