#include "recipe/screen_keys.h"

#include "recipe/forms.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr std::int64_t kMostDisplays = 59635;  // of port 65535

unsigned display_of(const Node& node) {
    const auto number = integer_of(node);
    if (number < 0 || number > kMostDisplays)
        throw Refusal{fmt::format("0 to {} is wanted", kMostDisplays)};
    return static_cast<unsigned>(number);
}

struct PasswordForms {
    std::optional<std::string> file, environment;
    bool random = false;
};

Keys<PasswordForms> password_keys() {
    return {
        "[domain.vnc.password]",
        {key("file", &PasswordForms::file, word(flaw_of_file_name)),
         key("env", &PasswordForms::environment, word(flaw_of_variable)),
         key("random", &PasswordForms::random, boolean_of)},
        {},
        {},
        [](const PasswordForms& forms, const Node& table, Findings& findings) {
            if (table.entries.size() != 1)
                findings.add(table.place, "cannot use [domain.vnc] password: one of file, env and random is wanted");
            else if (table.find("random") && !forms.random)
                findings.add(table.place_of("random"), "cannot use [domain.vnc] password: random is true or not there");
        }};
}

Key<Vnc> password_key() {
    return {"password",
            [](Vnc& vnc, const Node& node, const std::string& what, Findings& findings) {
                if (node.kind != Node::Kind::table)
                    return findings.add(node.place,
                                        fmt::format("cannot use a password in clear as {}: give {{ random = true }}, "
                                                    "{{ file = \"FILE\" }} or {{ env = \"VARIABLE\" }}",
                                                    what));
                PasswordForms forms;
                password_keys().read(forms, node, findings);
                using Source = ScreenPassword::Source;
                vnc.password = forms.file          ? ScreenPassword{Source::file, *forms.file}
                               : forms.environment ? ScreenPassword{Source::environment, *forms.environment}
                                                   : ScreenPassword{Source::random, {}};
            },
            password_keys().paths()};
}

Keys<Vnc> vnc_keys() {
    return {"[domain.vnc]",
            {key("enabled", &Vnc::enabled, boolean_of), key("listen", &Vnc::listen, word(flaw_of_address)),
             key("display", &Vnc::display, display_of), key("keymap", &Vnc::keymap, word(flaw_of_vif_word)),
             password_key()},
            {},
            {},
            {}};
}

}  // namespace

Key<Domain> vnc_key() {
    return {"vnc",
            [](Domain& domain, const Node& node, const std::string& what, Findings& findings) {
                if (node.kind == Node::Kind::table) {
                    domain.vnc.enabled = true;
                    return vnc_keys().read(domain.vnc, node, findings);
                }
                read_value(node, what, findings, [&] {
                    if (node.kind != Node::Kind::boolean)
                        throw Refusal{"true, false or a table is wanted, as in { display = 1 }"};
                    domain.vnc.enabled = node.boolean;
                });
            },
            vnc_keys().paths()};
}

}  // namespace vprov::recipe
