// The files that make a tree this guest: fstab, hosts, network, accounts, apt sources. Templates are compiled in.
#pragma once

#include <string>
#include <vector>

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::render {

struct GuestFile {
    std::string path;              // absolute, in the guest
    std::string content;           // or a link's target
    unsigned mode = 0644;
    bool is_link = false;
    bool secret = false;           // `vprov plan` does not print its content
    bool operator==(const GuestFile&) const = default;
};

// Written before the packages are configured, so that their scripts do their work once, with the right answers:
// /etc/hostname, locale.gen, /etc/default/locale, timezone. Pure.
std::vector<GuestFile> early_guest_files(const plan::Plan& plan);

// Written when all scripts have run: fstab, hosts, network, resolv.conf, sources, keys, empty machine-id. Pure.
std::vector<GuestFile> late_guest_files(const plan::Plan& plan);

void write_guest_files(const os::RootDir& root, const std::vector<GuestFile>& files);

// Passwords, accounts and ownership of keys: edits /etc/passwd, shadow, group, gshadow of the tree in place, native.
struct PersonaliseResult {
    std::optional<std::string> root_password;   // in clear, only when the recipe says `random`
    std::vector<std::pair<std::string, std::string>> user_passwords;   // the same for users
};
PersonaliseResult apply_accounts(const os::RootDir& root, const plan::Plan& plan);

}  // namespace vprov::render
