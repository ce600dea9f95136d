// OpenPGP keys made by gpg for one test, in a home of their own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "os/temp_dir.h"

namespace vprov::archive {

// The destructor ends the home's agent.
class SigningKeys {
  public:
    SigningKeys();
    ~SigningKeys();
    SigningKeys(const SigningKeys&) = delete;
    SigningKeys& operator=(const SigningKeys&) = delete;

    // Makes a key and returns its fingerprint. `at`: "20200101T000000", a faked time of its making; `expires`: as gpg.
    std::string make(const std::string& user, const std::string& at = "", const std::string& expires = "never");
    void revoke(const std::string& fingerprint);

    struct Signing {
        std::vector<std::string> keys;
        std::string at;  // a faked time of signing
        std::string digest = "SHA256";
        std::string expires;  // of the signature, "1d"
    };
    std::string clear_sign(std::string_view text, const Signing& signing);
    std::string detached(std::string_view text, const Signing& signing);  // without armour

    enum class Form { binary, armoured };
    std::filesystem::path keyring(const std::vector<std::string>& fingerprints, Form form = Form::binary);
    const std::filesystem::path& home() const { return home_.path(); }

  private:
    std::string gpg(const std::vector<std::string>& arguments, std::string_view input = "", const std::string& at = "");
    std::string sign(std::string_view how, std::string_view text, const Signing& signing);
    os::TempDir home_;
    int keyrings_ = 0;
};

}  // namespace vprov::archive
