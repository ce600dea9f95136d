#include "archive/signing_key.h"

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/fd.h"

namespace vprov::archive {
namespace {

std::string run(std::vector<std::string> argv, std::string_view input = "") {
    os::SystemCommandRunner runner;
    os::Command command;
    command.argv = std::move(argv);
    command.environment = os::clean_environment();
    command.input = input;
    const auto result = runner.run(command);
    if (!result.ok())
        throw error(ErrorKind::internal, "{}", os::describe_failure(command, result));
    return result.output;
}

}  // namespace

SigningKeys::SigningKeys() : home_(std::filesystem::temp_directory_path(), "vprov-keys-") {}

SigningKeys::~SigningKeys() {
    try {
        run({"gpgconf", "--homedir", home_.path().native(), "--kill", "all"});
    } catch (const Error&) {  // the agent ends by itself when its home is gone
    }
}

std::string SigningKeys::gpg(const std::vector<std::string>& arguments, std::string_view input, const std::string& at) {
    std::vector<std::string> argv = {"gpg",          "--homedir", home_.path().native(), "--batch",
                                     "--no-tty",     "--quiet",   "--pinentry-mode",     "loopback",
                                     "--passphrase", ""};
    if (!at.empty())
        argv.insert(argv.end(), {"--faked-system-time", at + "!"});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(std::move(argv), input);
}

std::string SigningKeys::make(const std::string& user, const std::string& at, const std::string& expires) {
    gpg({"--quick-gen-key", user, "ed25519", "sign", expires}, "", at);
    const auto listing = gpg({"--with-colons", "--list-keys", "=" + user});
    for (const auto line : split(listing, '\n'))
        if (line.starts_with("fpr:"))
            return std::string(split(line, ':')[9]);
    throw error(ErrorKind::internal, "gpg lists no key");
}

void SigningKeys::revoke(const std::string& fingerprint) {
    // gpg puts a colon before the armour, against use by mistake.
    auto text = os::read_file(home_.path() / "openpgp-revocs.d" / (fingerprint + ".rev"));
    text.erase(text.find(":-----BEGIN"), 1);
    gpg({"--import"}, text);
}

std::string SigningKeys::sign(std::string_view how, std::string_view text, const Signing& signing) {
    std::vector<std::string> arguments = {"--digest-algo", signing.digest, "--allow-weak-digest-algos"};
    for (const auto& key : signing.keys) arguments.insert(arguments.end(), {"--local-user", key + "!"});
    if (!signing.expires.empty())
        arguments.insert(arguments.end(), {"--default-sig-expire", signing.expires});
    arguments.insert(arguments.end(), {std::string(how), "--output", "-"});
    return gpg(arguments, text, signing.at);
}

std::string SigningKeys::clear_sign(std::string_view text, const Signing& signing) {
    return sign("--clearsign", text, signing);
}

std::string SigningKeys::detached(std::string_view text, const Signing& signing) {
    return sign("--detach-sign", text, signing);
}

std::filesystem::path SigningKeys::keyring(const std::vector<std::string>& fingerprints, Form form) {
    std::vector<std::string> arguments = {"--export"};
    if (form == Form::armoured)
        arguments.insert(arguments.begin(), "--armor");
    arguments.insert(arguments.end(), fingerprints.begin(), fingerprints.end());
    auto path = home_.path() / fmt::format("ring{}.{}", ++keyrings_, form == Form::armoured ? "asc" : "gpg");
    os::write_file(path, gpg(arguments));
    return path;
}

}  // namespace vprov::archive
