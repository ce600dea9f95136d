// Passwords and accounts of the guest, written into its /etc/passwd and the files beside it. No program of the guest
// or of the host is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::render {

// Finds out before any work is done what would end it: a hash file that is missing or that everybody can read, a
// variable that is not set, something that is no password hash. Reads, changes nothing. Throws Error(recipe).
void check_passwords(const plan::Plan& plan);

// In clear, and only for those whom the recipe gives a `random` password. Never to be logged.
struct PersonaliseResult {
    std::optional<std::string> root_password;
    std::vector<std::pair<std::string, std::string>> user_passwords;  // user, password
};

// Sets root's password and adds the recipe's users as adduser(8) would: user and group of the same number from 1000
// up where the recipe gives none, home directory from /etc/skel, subordinate ids, group `users`. Without a password an
// account stays locked. `now` (seconds since the epoch) is the date of the last change. Throws Error(recipe) for a user
// that exists or a group that does not, and for what check_passwords() finds; Error(disk) for a tree that cannot be
// written.
PersonaliseResult apply_accounts(const os::RootDir& root, const plan::Plan& plan, std::int64_t now);

// useradd(8) and pwconv(8) write down the day on which they run. No password of the tree, nor of the copies beside its
// tables, was changed later than `latest` (seconds since the epoch). Throws Error(disk).
void limit_password_dates(const os::RootDir& root, std::int64_t latest);

}  // namespace vprov::render
