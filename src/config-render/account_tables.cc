#include "config-render/account_tables.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace vprov::render {
namespace {

constexpr std::uint32_t kFirstUid = 1000, kLastUid = 59999;                     // adduser.conf(5)
constexpr std::uint32_t kFirstSubordinate = 100000, kSubordinateCount = 65536;  // login.defs(5)

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::string days(std::int64_t last_change) {
    return last_change > 0 ? std::to_string(last_change) : "";
}

// The rule of Debian's useradd(8), without the names that need --badname.
bool is_user_name(std::string_view name) {
    const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    const auto is_inner = [&](char c) { return is_start(c) || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= 32 && is_start(name[0]) && std::ranges::all_of(name.substr(1), is_inner);
}

std::uint32_t free_uid(const AccountTables& tables) {
    for (auto id = kFirstUid; id <= kLastUid; ++id)
        if (!tables.passwd.has_number(2, id))
            return id;
    throw error(ErrorKind::recipe, "cannot add a user: no number from {} to {} is free", kFirstUid, kLastUid);
}

std::uint32_t free_id(const AccountTables& tables) {
    for (auto id = kFirstUid; id <= kLastUid; ++id)
        if (!tables.passwd.has_number(2, id) && !tables.group.has_number(2, id))
            return id;
    throw error(ErrorKind::recipe, "cannot add a user: no number from {} to {} is free", kFirstUid, kLastUid);
}

UserIds ids_of(const AccountTables& tables, const NewUser& user) {
    if (user.uid && tables.passwd.has_number(2, *user.uid))
        throw error(ErrorKind::recipe, "cannot add user {}: the guest has a user with number {}", quote(user.name),
                    *user.uid);
    const auto uid = user.uid ? *user.uid : user.gid ? free_uid(tables) : free_id(tables);
    const auto gid = user.gid.value_or(uid);
    if (tables.group.has_number(2, gid))
        throw error(ErrorKind::recipe, "cannot add user {}: the guest has a group with number {}", quote(user.name),
                    gid);
    return {uid, gid};
}

void add_member(std::vector<std::string>& row, const std::string& user) {
    row.resize(std::max<std::size_t>(row.size(), 4));
    auto& members = row[3];
    for (const auto member : split(members, ','))
        if (member == user)
            return;
    members += (members.empty() ? "" : ",") + user;
}

void join_group(AccountTables& tables, const std::string& user, const std::string& group) {
    auto* row = tables.group.find(group);
    if (!row)
        throw error(ErrorKind::recipe, "cannot add user {} to group {}: the guest has no such group", quote(user),
                    quote(group));
    add_member(*row, user);
    if (auto* shadow = tables.gshadow.find(group))
        add_member(*shadow, user);
}

void add_subordinates(AccountTable& table, const std::string& user) {
    std::uint32_t next = kFirstSubordinate;
    for (const auto& row : table.rows())
        if (row.size() == 3)
            next = std::max(next, number(row[1]).value_or(0) + number(row[2]).value_or(0));
    table.add({user, std::to_string(next), std::to_string(kSubordinateCount)});
}

}  // namespace

AccountTable::AccountTable(std::string_view text) {
    for (const auto line : split(text, '\n')) {
        std::vector<std::string> fields;
        for (const auto field : split(line, ':')) fields.emplace_back(field);
        rows_.push_back(std::move(fields));
    }
    if (rows_.back() == std::vector<std::string>{""})
        rows_.pop_back();  // what follows the last newline
}

std::string AccountTable::text() const {
    std::string out;
    for (const auto& row : rows_) out += joined(row, ":") + "\n";
    return out;
}

std::vector<std::string>* AccountTable::find(std::string_view name) {
    const auto row =
        std::ranges::find_if(rows_, [&](const auto& fields) { return fields.size() > 1 && fields[0] == name; });
    return row == rows_.end() ? nullptr : &*row;
}

bool AccountTable::contains(std::string_view name) const {
    return std::ranges::any_of(rows_, [&](const auto& fields) { return fields.size() > 1 && fields[0] == name; });
}

bool AccountTable::has_number(std::size_t index, std::uint32_t value) const {
    return std::ranges::any_of(rows_,
                               [&](const auto& row) { return row.size() > index && number(row[index]) == value; });
}

void set_password(AccountTables& tables, std::string_view name, std::string_view hash, std::int64_t last_change) {
    auto* row = tables.shadow.find(name);
    if (!row)
        throw error(ErrorKind::recipe,
                    "cannot set the password of {}: the guest's /etc/shadow has no line for it (package passwd)",
                    quote(name));
    row->resize(std::max<std::size_t>(row->size(), 3));
    (*row)[1] = hash;
    (*row)[2] = days(last_change);
}

void limit_last_change(AccountTable& shadow, std::int64_t latest) {
    for (auto& row : shadow.rows())
        if (const auto day = row.size() > 2 ? number(row[2]) : std::nullopt; day && *day > latest)
            row[2] = std::to_string(latest);
}

UserIds add_user(AccountTables& tables, const NewUser& user) {
    if (!is_user_name(user.name))
        throw error(ErrorKind::recipe, "cannot add user {}: a name has small letters, digits, _ and -, 32 at most",
                    quote(user.name));
    if (tables.passwd.contains(user.name) || tables.group.contains(user.name))
        throw error(ErrorKind::recipe, "cannot add user {}: the guest has a user or group of that name",
                    quote(user.name));
    if (tables.shadow.rows().empty() && user.password != "!")
        throw error(ErrorKind::recipe, "cannot set the password of {}: the guest has no /etc/shadow (package passwd)",
                    quote(user.name));
    const auto ids = ids_of(tables, user);
    const auto uid = std::to_string(ids.uid), gid = std::to_string(ids.gid);
    tables.passwd.add({user.name, "x", uid, gid, user.gecos.empty() ? ",,," : user.gecos,
                       user.home.empty() ? "/home/" + user.name : user.home, user.shell});
    tables.shadow.add({user.name, user.password, days(user.last_change), "0", "99999", "7", "", "", ""});
    tables.group.add({user.name, "x", gid, ""});
    tables.gshadow.add({user.name, "!", "", ""});
    if (tables.group.contains("users"))
        join_group(tables, user.name, "users");
    for (const auto& group : user.groups) join_group(tables, user.name, group);
    add_subordinates(tables.subuid, user.name);
    add_subordinates(tables.subgid, user.name);
    return ids;
}

}  // namespace vprov::render
