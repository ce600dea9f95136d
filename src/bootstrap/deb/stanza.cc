#include "bootstrap/deb/stanza.h"

#include <strings.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace vprov::deb {
namespace {

// Printable ASCII without the colon (Debian Policy 5.1).
constexpr std::array<bool, 256> make_name_characters() {
    std::array<bool, 256> allowed{};
    for (unsigned c = '!'; c <= '~'; ++c) allowed[c] = c != ':';
    return allowed;
}
constexpr auto kNameCharacters = make_name_characters();

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::uint64_t name_bit(std::string_view name) {
    const auto fold = [](char c) { return static_cast<unsigned>(c) | 0x20U; };
    return std::uint64_t{1} << ((fold(name.front()) + fold(name[name.size() / 2]) * 5 + fold(name.back()) * 11 +
                                 name.size()) %
                                64);
}

Error bad_line(std::size_t line, std::string_view cause) {
    return error(ErrorKind::archive, "cannot read line {}: {}", line, cause);
}

}  // namespace

const Field* Stanza::field(std::string_view name) const {
    for (const auto& field : fields_)
        if (same_name(field.name, name))
            return &field;
    return nullptr;
}

std::optional<std::string_view> Stanza::find(std::string_view name) const {
    const auto* found = field(name);
    return found ? std::optional(found->value) : std::nullopt;
}

std::string_view Stanza::value(std::string_view name) const {
    return find(name).value_or(std::string_view{});
}

std::string_view Stanza::required(std::string_view name) const {
    const auto found = value(name);
    if (found.empty())
        throw bad_line(line_, fmt::format("the stanza has no {}", name));
    return found;
}

void Stanza::clear() {
    fields_.clear();
    names_seen_ = 0;
}

void Stanza::append(const Field& field) {
    const auto bit = name_bit(field.name);
    if ((names_seen_ & bit) != 0 && this->field(field.name) != nullptr)
        throw bad_line(field.line, fmt::format("a second field {}", quote(field.name)));
    names_seen_ |= bit;
    fields_.push_back(field);
}

std::size_t StanzaReader::line_end() const {
    const auto* newline = static_cast<const char*>(std::memchr(text_.data() + at_, '\n', text_.size() - at_));
    return newline ? static_cast<std::size_t>(newline - text_.data()) : text_.size();
}

void StanzaReader::skip_empty_lines() {
    while (at_ < text_.size()) {
        const auto end = line_end();
        if (!trimmed(text_.substr(at_, end - at_)).empty())
            return;
        at_ = end + 1;
        ++line_;
    }
}

// A carriage return that something follows is no end of a line: read_field() refuses it.
bool StanzaReader::at_empty_line() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && trimmed(text_.substr(at_, line_end() - at_)).empty());
}

void StanzaReader::read_field(Stanza& stanza) {
    Field field;
    field.line = line_;
    const auto start = at_;
    auto end = line_end();
    auto colon = start;
    while (colon < end && kNameCharacters[static_cast<unsigned char>(text_[colon])]) ++colon;
    if (colon == start || colon == end || text_[colon] != ':' || text_[start] == '#' || text_[start] == '-')
        throw bad_line(line_, fmt::format("{} is not a field",
                                          quote(text_.substr(start, std::min<std::size_t>(end - start, 60)))));
    field.name = text_.substr(start, colon - start);
    for (;;) {
        at_ = end + 1;
        ++line_;
        if (at_ >= text_.size() || !is_blank(text_[at_]))
            break;
        end = line_end();
    }
    field.text = text_.substr(start, end - start);
    auto first = colon + 1;
    while (first < end && is_blank(text_[first])) ++first;
    auto last = end;
    while (last > first && (is_blank(text_[last - 1]) || text_[last - 1] == '\r' || text_[last - 1] == '\n')) --last;
    field.value = text_.substr(first, last - first);
    stanza.append(field);
}

bool StanzaReader::next(Stanza& stanza) {
    stanza.clear();
    skip_empty_lines();
    if (at_ >= text_.size())
        return false;
    if (is_blank(text_[at_]))
        throw bad_line(line_, "it continues a field, but there is none before it");
    const auto start = at_;
    stanza.line_ = line_;
    while (at_ < text_.size() && !at_empty_line()) read_field(stanza);
    stanza.text_ = text_.substr(start, at_ - start);
    return true;
}

Stanza read_single_stanza(std::string_view text) {
    StanzaReader reader(text);
    Stanza stanza;
    if (!reader.next(stanza))
        throw bad_line(1, "there is no field in the file");
    Stanza second;
    if (reader.next(second))
        throw bad_line(second.line(), "a second stanza, where one was expected");
    return stanza;
}

std::vector<std::string_view> value_lines(std::string_view value) {
    std::vector<std::string_view> lines;
    for (const auto line : split(value, '\n'))
        if (const auto content = trimmed(line); !content.empty())
            lines.push_back(content);
    return lines;
}

}  // namespace vprov::deb
