#include "bootstrap/archive/signature.h"

#include <gtest/gtest.h>

#include "archive/message.h"
#include "archive/signing_key.h"
#include "base/text.h"

namespace vprov::archive {
namespace {

constexpr std::string_view kText = "Origin: Debian\nSuite: bookworm\n";

struct Verification {
    os::SystemCommandRunner runner;
    os::TempDir work{std::filesystem::temp_directory_path(), "vprov-test-"};
    SignedText clear(const std::string& data, const std::filesystem::path& keyring) {
        return verify_clear_signed(data, keyring, runner, work.path());
    }
    std::string refusal(const std::string& data, const std::filesystem::path& keyring) {
        return message_of([&] { clear(data, keyring); });
    }
};

TEST(Signature, TextAndKeyOfAGoodOne) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>");
    const auto data = keys.clear_sign(kText, {{key}, "", "SHA256", ""});
    for (const auto form : {SigningKeys::Form::binary, SigningKeys::Form::armoured}) {
        const auto result = verify.clear(data, keys.keyring({key}, form));
        EXPECT_EQ(result.text, kText);
        EXPECT_EQ(result.key, key);
    }
    const auto signature = keys.detached(kText, {{key}, "", "SHA256", ""});
    const auto result = verify_detached(kText, signature, keys.keyring({key}), verify.runner, verify.work.path());
    EXPECT_EQ(result.text, kText);
    EXPECT_EQ(result.key, key);
    EXPECT_EQ(message_of([&] {
                  verify_detached("Origin: evil\n", signature, keys.keyring({key}), verify.runner, verify.work.path());
              }),
              "bad signature of key " + key.substr(24) +
                  " 'Archive <a@example.org>': the file was changed after it was signed");
}

TEST(Signature, AKeyInPlaceOfAKeyring) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>");
    const auto other = keys.make("Other <o@example.org>");
    SignatureRules rules("");
    rules.embedded_key = os::read_file(keys.keyring({key}, SigningKeys::Form::armoured));
    const auto good = keys.clear_sign(kText, {{key}, "", "SHA256", ""});
    EXPECT_EQ(verify_clear_signed(good, rules, verify.runner, verify.work.path()).key, key);
    const auto foreign = keys.clear_sign(kText, {{other}, "", "SHA256", ""});
    EXPECT_EQ(message_of([&] { verify_clear_signed(foreign, rules, verify.runner, verify.work.path()); }),
              "its signing key " + other + " is not in its Signed-By field");
    EXPECT_EQ(verify.refusal(good, ""), "no keyring is named for it");
}

TEST(Signature, OneKnownKeyIsEnough) {
    SigningKeys keys;
    Verification verify;
    const auto known = keys.make("Known <k@example.org>");
    const auto other = keys.make("Other <o@example.org>");
    const auto data = keys.clear_sign(kText, {{other, known}, "", "SHA256", ""});
    EXPECT_EQ(verify.clear(data, keys.keyring({known})).key, known);
    const auto third = keys.make("Third <t@example.org>");
    const auto ring = keys.keyring({third});
    EXPECT_EQ(verify.refusal(data, ring), "its signing key " + other + " is not in " + quote(ring.native()) +
                                              "; its signing key " + known + " is not in " + quote(ring.native()));
}

TEST(Signature, ABadOneAmongGoodOnesSpoilsAll) {
    SigningKeys keys;
    Verification verify;
    const auto first = keys.make("First <f@example.org>");
    const auto second = keys.make("Second <s@example.org>");
    const auto good = keys.detached(kText, {{first}, "", "SHA256", ""});
    const auto bad = keys.detached("another\n", {{second}, "", "SHA256", ""});
    EXPECT_EQ(message_of([&] {
                  verify_detached(kText, good + bad, keys.keyring({first, second}), verify.runner, verify.work.path());
              }),
              "bad signature of key " + second.substr(24) +
                  " 'Second <s@example.org>': the file was changed after it was signed");
    EXPECT_EQ(verify_detached(kText, good + bad, keys.keyring({first}), verify.runner, verify.work.path()).key, first)
        << "who does not know the second key cannot know that it is bad";
    auto changed = keys.clear_sign(kText, {{first, second}, "", "SHA256", ""});
    changed.replace(changed.find("Debian"), 6, "Devian");
    EXPECT_EQ(verify.refusal(changed, keys.keyring({first, second})),
              "bad signature of key " + first.substr(24) +
                  " 'First <f@example.org>': the file was changed after it was signed");
}

TEST(Signature, ExpiredAndRevokedKeysDoNotCount) {
    SigningKeys keys;
    Verification verify;
    const auto old = keys.make("Old <o@example.org>", "20200101T000000", "1m");
    const auto by_old = keys.clear_sign(kText, {{old}, "20200102T000000", "SHA256", ""});
    EXPECT_EQ(verify.refusal(by_old, keys.keyring({old})),
              "its signing key " + old + " 'Old <o@example.org>' has expired");
    const auto gone = keys.make("Gone <g@example.org>");
    const auto by_gone = keys.clear_sign(kText, {{gone}, "", "SHA256", ""});
    keys.revoke(gone);
    EXPECT_EQ(verify.refusal(by_gone, keys.keyring({gone})),
              "its signing key " + gone + " 'Gone <g@example.org>' was revoked");
}

TEST(Signature, ExpiredAndWeakSignaturesDoNotCount) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>", "20200101T000000");
    const auto expired = keys.clear_sign(kText, {{key}, "20200102T000000", "SHA256", "1d"});
    EXPECT_EQ(verify.refusal(expired, keys.keyring({key})),
              "the signature of key " + key + " 'Archive <a@example.org>' has expired");
    const auto weak = keys.clear_sign(kText, {{key}, "", "SHA1", ""});
    EXPECT_EQ(verify.refusal(weak, keys.keyring({key})),
              "the signature of key " + key + " 'Archive <a@example.org>' uses SHA-1, which is not safe");
    EXPECT_EQ(
        verify_clear_signed(weak, {keys.keyring({key}), WeakHashes::allowed}, verify.runner, verify.work.path()).key,
        key);
}

TEST(Signature, TextOutsideIsRefusedThoughGpgvWouldPassIt) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>");
    const auto ring = keys.keyring({key});
    const auto data = keys.clear_sign(kText, {{key}, "", "SHA256", ""});
    EXPECT_EQ(verify.refusal("Suite: evil\n" + data, ring), "there is text before its signed block");
    EXPECT_EQ(verify.refusal(data + "Suite: evil\n", ring), "there is text after its signed block");
    EXPECT_EQ(verify.refusal("Suite: evil\n", ring), "it is not signed");
}

TEST(Signature, KeyringsThatCannotBeUsed) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>");
    const auto data = keys.clear_sign(kText, {{key}, "", "SHA256", ""});
    EXPECT_EQ(verify.refusal(data, ""), "no keyring is named for it");
    EXPECT_EQ(verify.refusal(data, "/no/such/ring.gpg"), "cannot open '/no/such/ring.gpg': No such file or directory");
}

class NoPrograms final : public os::CommandRunner {
  public:
    os::CommandResult run(const os::Command& command) override {
        throw error(ErrorKind::internal, "cannot run {}: No such file or directory", quote(command.argv[0]));
    }
};

TEST(Signature, GpgvThatIsNotInstalled) {
    NoPrograms none;
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    os::write_file(work.path() / "ring.gpg", "x");
    EXPECT_EQ(message_of([&] { verify_detached("a", "b", work.path() / "ring.gpg", none, work.path()); }),
              "cannot run 'gpgv': No such file or directory (install gpgv)");
}

TEST(Signature, AnEmptyOrBrokenKeyringAcceptsNothing) {
    SigningKeys keys;
    Verification verify;
    const auto key = keys.make("Archive <a@example.org>");
    const auto data = keys.clear_sign(kText, {{key}, "", "SHA256", ""});
    const auto ring = keys.home() / "broken.gpg";
    for (const char* content : {"", "no keyring at all"}) {
        os::write_file(ring, content);
        EXPECT_EQ(verify.refusal(data, ring), "its signing key " + key + " is not in " + quote(ring.native()));
    }
}

// The rules on what gpgv says, where real keys cannot be made to say it.
TEST(GpgvStatus, VerdictsThatNeedMoreThanOneLine) {
    const std::string fingerprint(40, 'A');
    const std::string id(16, 'A');
    const auto judge = [](const std::string& status) {
        return message_of([&] { accepted_key(parse_gpgv_status(status), {"/k.gpg"}); });
    };
    EXPECT_EQ(judge(""), "it is not signed");
    EXPECT_EQ(judge("[GNUPG:] NODATA 4\n"), "it is not signed");
    EXPECT_EQ(judge("[GNUPG:] GOODSIG " + id + " A\n"), "the signature of key " + id + " 'A' is not valid")
        << "GOODSIG counts with VALIDSIG only";
    const auto valid = "[GNUPG:] VALIDSIG " + fingerprint + " 2026-07-11 1783765031 0 4 0 1 8 01 " + fingerprint + "\n";
    EXPECT_EQ(judge(valid), "it is not signed") << "VALIDSIG comes for expired keys as well";
    EXPECT_EQ(judge("[GNUPG:] GOODSIG " + id + " A\n" + valid), "no error");
    EXPECT_EQ(judge("[GNUPG:] EXPKEYSIG " + id + " A\n" + valid),
              "its signing key " + fingerprint + " 'A' has expired");
    EXPECT_EQ(judge("[GNUPG:] GOODSIG " + id + " A\n" + valid + "[GNUPG:] BADSIG BBBBBBBBBBBBBBBB B\n"),
              "bad signature of key BBBBBBBBBBBBBBBB 'B': the file was changed after it was signed");
    EXPECT_EQ(judge("[GNUPG:] GOODSIG CCCCCCCCCCCCCCCC C\n" + valid),
              "the signature of key CCCCCCCCCCCCCCCC 'C' is not valid")
        << "a VALIDSIG of another key does not help";
    EXPECT_EQ(judge("[GNUPG:] ERRSIG " + id + " 1 8 01 1783765031 9\n[GNUPG:] NO_PUBKEY " + id + "\n"),
              "its signing key " + id + " is not in '/k.gpg'");
    EXPECT_EQ(judge("[GNUPG:] ERRSIG " + id + " 99 8 01 1783765031 4\n"),
              "the signature of key " + id + " cannot be checked: gpgv does not know its algorithm");
    EXPECT_EQ(judge("gpgv: [GNUPG:] GOODSIG " + id + " A\n"), "it is not signed");
    EXPECT_EQ(parse_gpgv_status("[GNUPG:] GOODSIG " + id + " A\n[GNUPG:] VALIDSIG " + fingerprint +
                                " 2026-07-11 1783765031 0 4 0 1 8 01 " + std::string(40, 'D') + "\n")[0]
                  .primary,
              std::string(40, 'D'));
}

}  // namespace
}  // namespace vprov::archive
