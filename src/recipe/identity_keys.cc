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

Sudo sudo_of(const Node& node) {
    if (node.kind == Node::Kind::boolean)
        return node.boolean ? Sudo::with_password : Sudo::none;
    if (node.kind == Node::Kind::string && node.text == "nopasswd")
        return Sudo::without_password;
    throw Refusal{"true, false or \"nopasswd\" is wanted"};
}

constexpr std::int64_t kMostId = 4294967293;  // the two above mean "no user" to some calls

std::uint32_t id_of(const Node& node) {
    const auto id = integer_of(node);
    if (id < 1 || id > kMostId || id == 65534 || id == 65535)
        throw Refusal{fmt::format("1 to {} is wanted, but for 65534 (nobody) and 65535", kMostId)};
    return static_cast<std::uint32_t>(id);
}

Keys<User> user_keys() {
    return {"[[identity.user]]",
            {key("name", &User::name, word(flaw_of_user)), list("groups", &User::groups, word(flaw_of_account)),
             key("sudo", &User::sudo, sudo_of), password("password", &User::password, "[identity.user.password]"),
             list("authorized_keys", &User::authorized_keys, word(flaw_of_authorized_key)),
             list("authorized_keys_files", &User::authorized_keys_files, word(flaw_of_file_name)),
             key("uid", &User::uid, id_of), key("gid", &User::gid, id_of),
             key("shell", &User::shell, word(flaw_of_guest_path)), key("home", &User::home, word(flaw_of_guest_path)),
             key("gecos", &User::gecos, word(flaw_of_gecos))},
            {},
            {"name"},
            {}};
}

std::string number_text(const std::optional<std::uint32_t>& number) {
    return number ? std::to_string(*number) : "";
}

void check_identity(const Identity& identity, const Node& table, Findings& findings) {
    const auto* users = table.find("user");
    refuse_repeats(
        identity.users, users, "[[identity.user]]", "name", [](const User& user) { return user.name; }, findings);
    refuse_repeats(
        identity.users, users, "[[identity.user]]", "uid", [](const User& user) { return number_text(user.uid); },
        findings);
    refuse_repeats(
        identity.users, users, "[[identity.user]]", "gid", [](const User& user) { return number_text(user.gid); },
        findings);
    if (identity.is_template && identity.ssh_host_keys)
        findings.add(table.place_of("ssh_host_keys"),
                     "cannot use [identity] ssh_host_keys together with template: a template has none");
    for (const auto* name : {"keyboard_variant", "keyboard_model", "keyboard_options"})
        if (table.find(name) && !table.find("keyboard"))
            findings.add(table.place_of(name), fmt::format("cannot use [identity] {} without keyboard", name));
}

}  // namespace

Keys<Identity> identity_keys() {
    const Choices<NetworkRenderer> renderers = {{"auto", NetworkRenderer::automatic},
                                                {"ifupdown", NetworkRenderer::ifupdown},
                                                {"networkd", NetworkRenderer::networkd},
                                                {"netplan", NetworkRenderer::netplan},
                                                {"none", NetworkRenderer::none}};
    return {"[identity]",
            {key("hostname", &Identity::hostname, word(flaw_of_hostname)),
             key("domain", &Identity::domain, word(flaw_of_domain)),
             key("timezone", &Identity::timezone, word(flaw_of_timezone)),
             key("locale", &Identity::locale, word(flaw_of_locale)),
             list("locales", &Identity::locales, word(flaw_of_locale)),
             key("keyboard", &Identity::keyboard, word(flaw_of_keyboard)),
             key("keyboard_variant", &Identity::keyboard_variant, word(flaw_of_keyboard_word)),
             key("keyboard_model", &Identity::keyboard_model, word(flaw_of_keyboard_word)),
             key("keyboard_options", &Identity::keyboard_options, word(flaw_of_keyboard_word)),
             key("network_renderer", &Identity::network_renderer, choice(renderers)),
             password("root_password", &Identity::root_password, "[identity.root_password]"),
             list("authorized_keys", &Identity::authorized_keys, word(flaw_of_authorized_key)),
             list("authorized_keys_files", &Identity::authorized_keys_files, word(flaw_of_file_name)),
             key("ssh_host_keys", &Identity::ssh_host_keys, word(flaw_of_file_name)),
             key("template", &Identity::is_template, boolean_of), tables("user", &Identity::users, user_keys())},
            {},
            {},
            check_identity};
}

}  // namespace vprov::recipe
