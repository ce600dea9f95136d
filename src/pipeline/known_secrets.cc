#include "pipeline/known_secrets.h"

#include <fmt/format.h>

#include <array>

#include "config-render/account_tables.h"
#include "config-render/host_key_check.h"
#include "config-render/passwords.h"

namespace vprov::pipeline {
namespace {

using recipe::Password;

constexpr std::array<std::string_view, 4> kKeyTypes = {"rsa", "ecdsa", "ed25519", "dsa"};

bool is_salted_here(const std::optional<Password>& password) {
    return password &&
           (password->source == Password::Source::random || password->source == Password::Source::environment);
}

void take_password(plan::KnownSecrets& secrets, const std::string& user, const std::optional<Password>& password,
                   render::AccountTable& shadow) {
    const auto* row = shadow.find(user);
    if (row && is_salted_here(password) && (*row)[1].starts_with("$y$") && render::is_password_hash((*row)[1]))
        secrets.passwords[user] = (*row)[1];
}

void take_host_keys(plan::KnownSecrets& secrets, const plan::Plan& plan, const ReadFile& read) {
    for (const auto type : kKeyTypes) {
        const auto path = fmt::format("etc/ssh/ssh_host_{}_key", type);
        auto secret = read("/" + path);
        auto open = read("/" + path + ".pub");
        if (!secret || !open || !render::is_host_key_pair({*secret, *open}, "root@" + plan.hostname))
            continue;
        secrets.files[path] = std::move(*secret);
        secrets.files[path + ".pub"] = std::move(*open);
    }
}

}  // namespace

plan::KnownSecrets known_secrets(const plan::Plan& plan, const ReadFile& read) {
    plan::KnownSecrets secrets;
    const auto& identity = plan.recipe.identity;
    render::AccountTable shadow(read("/etc/shadow").value_or(""));
    take_password(secrets, "root", identity.root_password, shadow);
    for (const auto& user : identity.users) take_password(secrets, user.name, user.password, shadow);
    if (!identity.ssh_host_keys && !identity.is_template)
        take_host_keys(secrets, plan, read);
    return secrets;
}

std::vector<std::string> described(const plan::KnownSecrets& secrets) {
    std::vector<std::string> lines;
    for (const auto& [user, hash] : secrets.passwords) lines.push_back(fmt::format("the password of {}", user));
    for (const auto type : kKeyTypes)
        if (secrets.files.contains(fmt::format("etc/ssh/ssh_host_{}_key", type)))
            lines.push_back(fmt::format("the SSH host key {}", type));
    return lines;
}

}  // namespace vprov::pipeline
