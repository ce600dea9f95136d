#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

struct PasswordForms {
    std::optional<std::string> hash, hash_file, environment;
    bool random = false;
};

// What stands under `hash` may be a password by mistake: it is never repeated in a message.
std::string hash_of(const Node& node) {
    auto hash = string_of(node);
    if (auto flaw = flaw_of_password_hash(hash); !flaw.empty())
        throw Refusal{std::move(flaw)};
    return hash;
}

Key<PasswordForms> hash_key() {
    return {"hash",
            [](PasswordForms& forms, const Node& node, const std::string& what, Findings& findings) {
                try {
                    forms.hash = hash_of(node);
                } catch (const Refusal& refusal) {
                    findings.add(node.place, fmt::format("cannot use this as {}: {}", what, refusal.cause));
                }
            },
            {}};
}

bool random_of(const Node& node) {
    if (!boolean_of(node))
        throw Refusal{"only true has a meaning; leave the password out to lock the account"};
    return true;
}

Keys<PasswordForms> password_keys(const std::string& title) {
    return {title,
            {hash_key(), key("hash_file", &PasswordForms::hash_file, word(flaw_of_file_name)),
             key("env", &PasswordForms::environment, word(flaw_of_variable)),
             key("random", &PasswordForms::random, random_of)},
            {},
            {},
            [title](const PasswordForms&, const Node& table, Findings& findings) {
                if (table.entries.size() != 1)
                    findings.add(
                        table.place,
                        fmt::format("cannot use {}: exactly one of hash, hash_file, env and random is wanted", title));
            }};
}

Password password_of(const PasswordForms& forms) {
    if (forms.hash)
        return {Password::Source::hash, *forms.hash};
    if (forms.hash_file)
        return {Password::Source::hash_file, *forms.hash_file};
    if (forms.environment)
        return {Password::Source::environment, *forms.environment};
    return {Password::Source::random, {}};
}

template <class T>
Key<T> password(std::string_view name, std::optional<Password> T::*member, const std::string& title) {
    const auto keys = password_keys(title);
    return {name,
            [=](T& into, const Node& node, const std::string& what, Findings& findings) {
                if (node.kind != Node::Kind::table) {
                    findings.add(
                        node.place,
                        fmt::format("cannot use a password in clear as {}: give {{ random = true }}, "
                                    "{{ hash = \"$y$...\" }}, {{ hash_file = \"FILE\" }} or {{ env = \"VARIABLE\" }}",
                                    what));
                    return;
                }
                PasswordForms forms;
                keys.read(forms, node, findings);
                into.*member = password_of(forms);
            },
            keys.paths()};
}

std::string flaw_of_user(std::string_view name) {
    return name == "root" ? "root is there already; [identity] has root_password and authorized_keys"
                          : flaw_of_account(name);
}

Keys<User> user_keys() {
    return {"[[identity.user]]",
            {key("name", &User::name, word(flaw_of_user)), list("groups", &User::groups, word(flaw_of_account)),
             key("sudo", &User::sudo, boolean_of), password("password", &User::password, "[identity.user.password]"),
             list("authorized_keys", &User::authorized_keys, word(flaw_of_authorized_key))},
            {},
            {"name"},
            {}};
}

}  // namespace

Keys<Identity> identity_keys() {
    return {"[identity]",
            {key("hostname", &Identity::hostname, word(flaw_of_hostname)),
             key("domain", &Identity::domain, word(flaw_of_domain)),
             key("timezone", &Identity::timezone, word(flaw_of_timezone)),
             key("locale", &Identity::locale, word(flaw_of_locale)),
             key("keyboard", &Identity::keyboard, word(flaw_of_keyboard)),
             password("root_password", &Identity::root_password, "[identity.root_password]"),
             list("authorized_keys", &Identity::authorized_keys, word(flaw_of_authorized_key)),
             tables("user", &Identity::users, user_keys())},
            {},
            {},
            [](const Identity& identity, const Node& table, Findings& findings) {
                refuse_repeats(
                    identity.users, table.find("user"), "[[identity.user]]", "name",
                    [](const User& user) { return user.name; }, findings);
            }};
}

}  // namespace vprov::recipe
