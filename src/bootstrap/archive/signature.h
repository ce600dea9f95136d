// Signatures of Release files, judged by gpgv(1) over its status descriptor with the rules of apt's gpgv method.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "os/command.h"

namespace vprov::archive {

// What gpgv said about one signature (doc/DETAILS of GnuPG 2.2, "Format of the --status-fd output").
struct Signature {
    enum class Verdict { good, bad, expired, expired_key, revoked_key, unknown_key, unchecked };
    Verdict verdict = Verdict::unchecked;
    std::string key;         // fingerprint, or the 16 digits of the key id where gpgv does not know it
    std::string user;        // of the key, "" if unknown
    std::string primary;     // fingerprint of the primary key; "" without VALIDSIG
    int hash_algorithm = 0;  // RFC 4880, 9.4; 0 without VALIDSIG
};

// In the order of the file. Pure.
std::vector<Signature> parse_gpgv_status(std::string_view status);

enum class WeakHashes { refused, allowed };  // SHA-1 and RIPEMD-160; MD5 never, which gpgv itself refuses

struct SignatureRules {
    SignatureRules(std::filesystem::path with, WeakHashes weak = WeakHashes::refused)
        : keyring(std::move(with)), weak_hashes(weak) {}
    std::filesystem::path keyring;
    WeakHashes weak_hashes;
    std::string embedded_key;  // armoured, in place of the keyring; "" : none
};

// The fingerprint of the primary key behind the first signature that counts. One is enough, as a suite is signed with
// the keys of several releases, unless any is bad. Throws Error(archive) with the bare cause otherwise. Pure.
std::string accepted_key(const std::vector<Signature>& signatures, const SignatureRules& rules);

struct SignedText {
    std::string text;  // what the signature covers, and nothing else
    std::string key;   // see accepted_key()
};

// `work` is a directory for temporary files of this call. Both throw Error(archive) with the bare cause.
SignedText verify_clear_signed(std::string_view data, const SignatureRules& rules, os::CommandRunner& runner,
                               const std::filesystem::path& work);
SignedText verify_detached(std::string_view text, std::string_view signature, const SignatureRules& rules,
                           os::CommandRunner& runner, const std::filesystem::path& work);

}  // namespace vprov::archive
