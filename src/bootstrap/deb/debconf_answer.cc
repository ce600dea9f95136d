#include "bootstrap/deb/debconf_answer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace vprov::deb {
namespace {

// debconf-set-selections of debconf 1.5.82
constexpr std::array<std::string_view, 9> kTypes = {"select", "boolean",  "string", "multiselect", "note",
                                                    "text",   "password", "title",  "seen"};
constexpr std::string_view kBlanks = " \t\v\f";

std::string_view take_word(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    const auto word = rest.substr(0, rest.find_first_of(kBlanks));
    rest.remove_prefix(word.size());
    return word;
}

std::string_view without_return(std::string_view line) {
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

bool is_passed_over(std::string_view line) {
    const auto content = trimmed(line);
    return content.empty() || content.starts_with('#');
}

}  // namespace

std::optional<DebconfAnswer> read_debconf_answer(std::string_view line) {
    if (!flaw_of_debconf_answer(line).empty())
        return std::nullopt;
    DebconfAnswer answer;
    answer.owner = take_word(line);
    answer.question = take_word(line);
    answer.type = take_word(line);
    answer.value = line.empty() ? "" : line.substr(1);
    return answer;
}

std::string flaw_of_debconf_answer(std::string_view line) {
    if (line.find_first_of("\n\r") != std::string_view::npos || line.find('\0') != std::string_view::npos)
        return "one line is wanted";
    const auto owner = take_word(line), question = take_word(line), type = take_word(line);
    if (owner.empty() || question.empty() || type.empty() || owner.starts_with('#'))
        return "a line of debconf-set-selections(1) is wanted: package, question, type and value, as in "
               "'tzdata tzdata/Areas select Europe'";
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
        return "the third word is a type: select, boolean, string, multiselect, note, text, password, title or seen";
    if (type == "seen" && trimmed(line) != "true" && trimmed(line) != "false")
        return "seen is true or false";
    return {};
}

std::vector<DebconfAnswer> read_debconf_answers(std::string_view text, std::string_view name) {
    std::vector<DebconfAnswer> answers;
    const auto lines = split(text, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto number = i + 1;
        std::string line(without_return(lines[i]));
        while (line.ends_with('\\') && i + 1 < lines.size()) {
            line.pop_back();
            line += without_return(lines[++i]);
        }
        if (is_passed_over(line))
            continue;
        if (const auto flaw = flaw_of_debconf_answer(line); !flaw.empty())
            throw error(ErrorKind::recipe, "cannot use {}, line {}: {}", name, number, flaw);
        answers.push_back(*read_debconf_answer(line));
    }
    return answers;
}

}  // namespace vprov::deb
