// /etc/passwd, shadow, group, gshadow, subuid and subgid as tables, edited as text. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::render {

// Lines of fields between colons; lines that are not understood are kept as they are.
class AccountTable {
  public:
    explicit AccountTable(std::string_view text = "");
    std::string text() const;

    std::vector<std::string>* find(std::string_view name);  // the fields of the first line that `name` begins; or null
    bool contains(std::string_view name) const;
    void add(std::vector<std::string> fields) { rows_.push_back(std::move(fields)); }

    // True if field `index` of some line is the number `value`.
    bool has_number(std::size_t index, std::uint32_t value) const;

    const std::vector<std::vector<std::string>>& rows() const { return rows_; }
    std::vector<std::vector<std::string>>& rows() { return rows_; }

  private:
    std::vector<std::vector<std::string>> rows_;
};

struct AccountTables {
    AccountTable passwd, shadow, group, gshadow, subuid, subgid;
};

struct NewUser {
    std::string name;
    std::string password;             // the field of shadow: a hash, or "!"
    std::vector<std::string> groups;  // besides its own and `users`
    std::int64_t last_change = 0;     // days since the epoch; 0 leaves the field empty
    std::optional<std::uint32_t> uid = std::nullopt, gid = std::nullopt;  // gid: the uid when not given
    std::string shell = "/bin/bash", home = {}, gecos = {};               // home "": /home/NAME; gecos "": ",,,"
};

struct UserIds {
    std::uint32_t uid = 0, gid = 0;
    bool operator==(const UserIds&) const = default;
};

// Sets the password of a user that exists. Throws Error(recipe) when there is no line for it in shadow.
void set_password(AccountTables& tables, std::string_view name, std::string_view hash, std::int64_t last_change);

// Passwords that were changed after `latest` (days since the epoch) were changed then. Of a table of shadow(5).
void limit_last_change(AccountTable& shadow, std::int64_t latest);

// Adds a user with a group of its own, both with the lowest number from 1000 on that is free in passwd and group where
// none is given, and 65536 subordinate ids above the last that are taken. Throws Error(recipe) for a name or number
// that is taken or not allowed, and for a group that does not exist.
UserIds add_user(AccountTables& tables, const NewUser& user);

}  // namespace vprov::render
