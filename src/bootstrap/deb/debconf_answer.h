// Answers to packages' questions, in the lines that debconf-set-selections(1) takes: "OWNER QUESTION TYPE VALUE". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::deb {

struct DebconfAnswer {
    std::string owner, question;
    std::string type;   // of the question: "select", ...; or "seen", a flag that is set to `value`
    std::string value;  // all after the blank that follows the type
    bool operator==(const DebconfAnswer&) const = default;
};

// nullopt for a bad line.
std::optional<DebconfAnswer> read_debconf_answer(std::string_view line);

// "" for a good line, and otherwise the cause that a message ends with, in which nothing of the line is repeated.
std::string flaw_of_debconf_answer(std::string_view line);

// A file of such lines, with comments, empty lines, and lines that go on after a '\' at their end. Throws Error(recipe)
// "cannot use NAME, line N: CAUSE".
std::vector<DebconfAnswer> read_debconf_answers(std::string_view text, std::string_view name);

}  // namespace vprov::deb
