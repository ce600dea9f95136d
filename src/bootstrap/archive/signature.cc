#include "bootstrap/archive/signature.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/public_keys.h"
#include "base/text.h"
#include "bootstrap/archive/clear_signed.h"
#include "os/fd.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;
using Verdict = Signature::Verdict;

constexpr std::string_view kPrefix = "[GNUPG:] ";

struct NamedVerdict {
    std::string_view keyword;
    Verdict verdict;
};

constexpr std::array kVerdicts = {
    NamedVerdict{"GOODSIG", Verdict::good},          NamedVerdict{"BADSIG", Verdict::bad},
    NamedVerdict{"EXPSIG", Verdict::expired},        NamedVerdict{"EXPKEYSIG", Verdict::expired_key},
    NamedVerdict{"REVKEYSIG", Verdict::revoked_key}, NamedVerdict{"ERRSIG", Verdict::unchecked},
};

bool is_same_key(std::string_view fingerprint, std::string_view key) {  // `key` may be its last 16 digits
    return !key.empty() && fingerprint.ends_with(key);
}

Signature read_verdict(Verdict verdict, std::span<const std::string_view> words, std::string_view line) {
    Signature signature;
    signature.verdict = verdict;
    if (words.size() > 1)
        signature.key = words[1];
    if (verdict == Verdict::unchecked) {  // ERRSIG keyid pkalgo hashalgo sigclass time rc [fingerprint]
        if (words.size() > 6 && words[6] == "9")
            signature.verdict = Verdict::unknown_key;
        if (words.size() > 7 && words[7] != "-")
            signature.key = words[7];
    } else if (words.size() > 2) {
        signature.user = line.substr(static_cast<std::size_t>(words[2].data() - line.data()));
    }
    return signature;
}

// VALIDSIG fingerprint date timestamp expires version reserved pkalgo hashalgo class [primary]
void read_valid(std::vector<Signature>& signatures, std::span<const std::string_view> words) {
    if (signatures.empty() || words.size() < 9 || !is_same_key(words[1], signatures.back().key))
        return;
    auto& signature = signatures.back();
    signature.key = words[1];
    signature.primary = words.size() > 10 ? words[10] : words[1];
    std::from_chars(words[8].data(), words[8].data() + words[8].size(), signature.hash_algorithm);
}

// RFC 4880, 9.4, and what apt takes as weak: MD5, SHA-1, RIPE-MD/160.
std::optional<std::string_view> weak_hash(int algorithm) {
    constexpr std::array<std::string_view, 4> kWeak = {"an unknown digest", "MD5", "SHA-1", "RIPEMD-160"};
    if (algorithm >= 0 && algorithm < static_cast<int>(kWeak.size()))
        return kWeak[static_cast<std::size_t>(algorithm)];
    if (algorithm > 11)
        return kWeak[0];
    return std::nullopt;
}

bool counts(const Signature& signature, WeakHashes weak) {
    constexpr int kMd5 = 1;
    return signature.verdict == Verdict::good && !signature.primary.empty() &&
           (!weak_hash(signature.hash_algorithm) || (weak == WeakHashes::allowed && signature.hash_algorithm != kMd5));
}

std::string key_text(const Signature& signature) {
    return signature.user.empty() ? signature.key : fmt::format("{} {}", signature.key, quote(signature.user));
}

std::string name_of_keyring(const SignatureRules& rules) {
    return rules.embedded_key.empty() ? quote(rules.keyring.native()) : "its Signed-By field";
}

std::string why_not(const Signature& signature, const SignatureRules& rules) {
    switch (signature.verdict) {
        case Verdict::good:
            if (const auto weak = weak_hash(signature.hash_algorithm); weak && !signature.primary.empty())
                return fmt::format("the signature of key {} uses {}, which is not safe", key_text(signature), *weak);
            return fmt::format("the signature of key {} is not valid", key_text(signature));
        case Verdict::bad:
            return fmt::format("bad signature of key {}: the file was changed after it was signed",
                               key_text(signature));
        case Verdict::expired:
            return fmt::format("the signature of key {} has expired", key_text(signature));
        case Verdict::expired_key:
            return fmt::format("its signing key {} has expired", key_text(signature));
        case Verdict::revoked_key:
            return fmt::format("its signing key {} was revoked", key_text(signature));
        case Verdict::unknown_key:
            return fmt::format("its signing key {} is not in {}", signature.key, name_of_keyring(rules));
        case Verdict::unchecked:
            break;
    }
    return fmt::format("the signature of key {} cannot be checked: gpgv does not know its algorithm", signature.key);
}

void put(const fs::path& path, std::string_view data) {  // no os::write_file(): nothing here outlives the process
    const auto file = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, ErrorKind::disk);
    os::write_all(file.get(), data, path.native());
}

// gpgv 2.2 reads no armour ("gpgv: [don't know]: invalid packet"), and takes a name without a slash from its home.
fs::path usable_keyring(const SignatureRules& rules, const fs::path& work) {
    if (rules.keyring.empty() && rules.embedded_key.empty())
        throw error(ErrorKind::archive, "no keyring is named for it");
    const auto data =
        rules.embedded_key.empty() ? os::read_file(rules.keyring, ErrorKind::archive) : rules.embedded_key;
    if (!is_armoured_keyring(data))
        return fs::absolute(rules.keyring);
    auto converted = work / "keyring.gpg";
    put(converted, dearmour(data));
    return converted;
}

std::vector<Signature> run_gpgv(const SignatureRules& rules, std::vector<std::string> files, os::CommandRunner& runner,
                                const fs::path& work) {
    os::Command command;
    command.argv = {
        "gpgv", "--homedir", work.native(), "--status-fd", "1", "--keyring", usable_keyring(rules, work).native()};
    command.argv.insert(command.argv.end(), files.begin(), files.end());
    command.environment = os::clean_environment();
    const auto result = os::run_for({ErrorKind::archive, "gpgv"}, command, runner);
    auto signatures = parse_gpgv_status(result.output);
    if (signatures.empty() && result.output.find("NODATA") == std::string::npos)
        throw error(ErrorKind::archive, "gpgv does not read its signature: {}",
                    quote(trimmed(last_lines(result.errors, 1))));
    return signatures;
}

}  // namespace

std::vector<Signature> parse_gpgv_status(std::string_view status) {
    std::vector<Signature> signatures;
    for (auto line : split(status, '\n')) {
        if (!line.starts_with(kPrefix))
            continue;
        line = trimmed(line.substr(kPrefix.size()));
        const auto words = split_words(line);
        if (words.empty())
            continue;
        const auto* named = std::find_if(kVerdicts.begin(), kVerdicts.end(),
                                         [&](const auto& verdict) { return verdict.keyword == words[0]; });
        if (named != kVerdicts.end())
            signatures.push_back(read_verdict(named->verdict, words, line));
        else if (words[0] == "VALIDSIG")
            read_valid(signatures, words);
        else if (words[0] == "NO_PUBKEY" && !signatures.empty() && signatures.back().verdict == Verdict::unchecked)
            signatures.back().verdict = Verdict::unknown_key;
    }
    return signatures;
}

std::string accepted_key(const std::vector<Signature>& signatures, const SignatureRules& rules) {
    if (signatures.empty())
        throw error(ErrorKind::archive, "it is not signed");
    for (const auto& signature : signatures)
        if (signature.verdict == Verdict::bad)
            throw Error(ErrorKind::archive, why_not(signature, rules));
    const auto good = std::find_if(signatures.begin(), signatures.end(),
                                   [&](const Signature& signature) { return counts(signature, rules.weak_hashes); });
    if (good != signatures.end())
        return good->primary;
    std::vector<std::string> reasons;
    reasons.reserve(signatures.size());
    for (const auto& signature : signatures) reasons.push_back(why_not(signature, rules));
    throw Error(ErrorKind::archive, joined(reasons, "; "));
}

SignedText verify_clear_signed(std::string_view data, const SignatureRules& rules, os::CommandRunner& runner,
                               const fs::path& work) {
    check_clear_signed(data);
    const auto input = work / "InRelease";
    const auto output = work / "Release";
    put(input, data);
    const auto signatures = run_gpgv(rules, {"--output", output.native(), input.native()}, runner, work);
    SignedText result;
    result.key = accepted_key(signatures, rules);
    result.text = os::read_file(output, ErrorKind::archive);
    return result;
}

SignedText verify_detached(std::string_view text, std::string_view signature, const SignatureRules& rules,
                           os::CommandRunner& runner, const fs::path& work) {
    put(work / "Release", text);
    put(work / "Release.gpg", signature);
    const auto signatures =
        run_gpgv(rules, {(work / "Release.gpg").native(), (work / "Release").native()}, runner, work);
    return {std::string(text), accepted_key(signatures, rules)};
}

}  // namespace vprov::archive
