#include "hypervisor/guest/cfg_python.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_values.h"

namespace vprov::hypervisor {
namespace {

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
}

// An evaluated expression; `is_none` stands for None, and `is_tuple` tells the right side of "%".
struct Value {
    CfgValue value;
    bool is_none = false, is_tuple = false;
};

class PythonReader {
  public:
    PythonReader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    std::map<std::string, CfgEntry> run() {
        for (;;) {
            skip_blank_lines();
            if (at_ >= text_.size())
                return std::move(entries_);
            statement();
        }
    }

  private:
    [[noreturn]] void fail(const std::string& cause) const {
        throw error(ErrorKind::hypervisor, "{}:{}: cannot read the configuration: {}", file_, line_, cause);
    }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    // Blanks, comments and escaped line ends; within brackets line ends, too.
    void skip_blanks() {
        for (; at_ < text_.size(); ++at_) {
            if (peek() == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
                if (depth_ == 0 || at_ >= text_.size())
                    return;
            }
            if (peek() == '\\' && peek(1) == '\n')
                ++at_;
            else if (peek() == '\n' && depth_ == 0)
                return;
            else if (peek() != ' ' && peek() != '\t' && peek() != '\n')
                return;
            if (peek() == '\n')
                ++line_;
        }
    }
    void skip_blank_lines() {
        for (skip_blanks(); peek() == '\n' || peek() == ';'; skip_blanks()) {
            line_ += peek() == '\n' ? 1 : 0;
            ++at_;
        }
    }

    std::string name() {
        const auto start = at_;
        while (is_name_start(peek()) || is_digit(peek())) ++at_;
        return std::string(text_.substr(start, at_ - start));
    }

    void statement() {
        if (!is_name_start(peek()))
            fail(fmt::format("{} begins no assignment", quote(std::string_view(&text_[at_], 1))));
        const auto key = name();
        const int line = line_;
        if (key == "import" || key == "from") {
            at_ = std::min(text_.find('\n', at_), text_.size());
            return;
        }
        skip_blanks();
        const bool appends = peek() == '+' && peek(1) == '=';
        if (!appends && (peek() != '=' || peek(1) == '='))
            fail(fmt::format("{} is a program's, and only assignments are read", quote(key)));
        at_ += appends ? 2 : 1;
        auto value = sum();
        skip_blanks();
        if (peek() != '\n' && peek() != ';' && at_ < text_.size())
            fail(fmt::format("the value of {} goes on in a way that is not understood", quote(key)));
        store(key, line, std::move(value), appends);
    }

    void store(const std::string& key, int line, Value value, bool appends) {
        const auto old = entries_.find(key);
        if (appends && old != entries_.end())
            value = added({old->second.value}, value);
        if (value.is_none)
            entries_.erase(key);
        else
            entries_[key] = {line, std::move(value.value)};
    }

    Value added(const Value& left, const Value& right) const {
        auto sum = left;
        if (left.value.text() && right.value.text())
            std::get<std::string>(sum.value.data) += *right.value.text();
        else if (left.value.list() && right.value.list())
            for (const auto& item : *right.value.list())
                std::get<std::vector<CfgValue>>(sum.value.data).push_back(item);
        else
            fail("a list and a string cannot be added");
        return sum;
    }

    Value sum() {
        auto value = product();
        for (skip_blanks(); peek() == '+' && peek(1) != '='; skip_blanks()) {
            ++at_;
            value = added(value, product());
        }
        return value;
    }

    Value product() {
        auto value = operand();
        for (skip_blanks(); peek() == '%'; skip_blanks()) {
            ++at_;
            value = formatted(value, operand());
        }
        return value;
    }

    // "%s" and "%d" with what stands behind the "%".
    Value formatted(const Value& pattern, const Value& arguments) const {
        if (!pattern.value.text())
            fail("'%' has no string on its left");
        std::vector<CfgValue> values =
            arguments.is_tuple ? *arguments.value.list() : std::vector<CfgValue>{arguments.value};
        std::string out;
        std::size_t used = 0;
        const auto& text = *pattern.value.text();
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%') {
                out += text[i];
                continue;
            }
            const char kind = i + 1 < text.size() ? text[++i] : '\0';
            if (kind == '%')
                out += '%';
            else if ((kind != 's' && kind != 'd') || used >= values.size() || !values[used].text())
                fail(fmt::format("{} with '%' is not understood: only %s and %d are", quote(text)));
            else
                out += *values[used++].text();
        }
        if (used != values.size())
            fail(fmt::format("{} with '%' has other places than values", quote(text)));
        return {{pattern.value.line, out}};
    }

    Value operand() {
        skip_blanks();
        const char c = peek();
        if (c == '[' || c == '(')
            return bracketed(c == '[' ? ']' : ')');
        if (is_digit(c) || (c == '-' && is_digit(peek(1))))
            return number();
        if (is_name_start(c) || c == '"' || c == '\'')
            return word();
        fail(fmt::format("a value is wanted before {}", at_ >= text_.size() || c == '\n'
                                                            ? "the end of the line"
                                                            : quote(std::string_view(&text_[at_], 1))));
    }

    Value number() {
        const auto start = at_;
        if (peek() == '-')
            ++at_;
        while (is_digit(peek()) || is_name_start(peek())) ++at_;
        auto digits = std::string(text_.substr(start, at_ - start));
        if (digits.ends_with('L') || digits.ends_with('l'))
            digits.pop_back();
        if (!parse_number(digits.starts_with('-') ? digits.substr(1) : digits))
            fail(fmt::format("{} is not a number", quote(digits)));
        return {{line_, digits}};
    }

    // A string with or without a prefix, True, False, None, or a name that has a value.
    Value word() {
        const auto start = at_;
        const int line = line_;
        const auto text = peek() == '"' || peek() == '\'' ? std::string() : name();
        constexpr auto kPrefixes = std::to_array<std::string_view>({"", "r", "R", "u", "U", "b", "B", "ur", "br"});
        if ((peek() == '"' || peek() == '\'') &&
            std::find(kPrefixes.begin(), kPrefixes.end(), text) != kPrefixes.end()) {
            const bool is_raw = text.find_first_of("rR") != std::string::npos;
            return {{line, string(is_raw)}};
        }
        if (text == "True" || text == "False")
            return {{line, text == "True" ? "1" : "0"}};
        if (text == "None")
            return {{line, ""}, true};
        skip_blanks();
        const auto known = entries_.find(text);
        if (known == entries_.end() || peek() == '(' || peek() == '.' || peek() == '[') {
            at_ = start;
            fail(fmt::format("{} has no value here: it is a program's, and only assignments are read", quote(text)));
        }
        return {known->second.value};
    }

    std::string string(bool is_raw) {
        const char mark = peek();
        const bool is_long = peek(1) == mark && peek(2) == mark;
        const std::string end(is_long ? 3 : 1, mark);
        const int begins = line_;
        at_ += end.size();
        std::string out;
        while (text_.substr(at_, end.size()) != end) {
            if (at_ >= text_.size() || (peek() == '\n' && !is_long)) {
                line_ = begins;
                fail(fmt::format("the string that begins with {} does not end", quote(out.substr(0, 20))));
            }
            if (peek() == '\n')
                ++line_;
            if (peek() == '\\' && !is_raw)
                escape(out);
            else
                out += text_[at_++];
        }
        at_ += end.size();
        if (peek() == '"' || peek() == '\'')
            fail("two strings stand side by side; is a comma missing?");
        return out;
    }

    void escape(std::string& out) {
        constexpr std::string_view kLetters = "\\\"'abfnrtv", kMeanings = "\\\"'\a\b\f\n\r\t\v";
        const char c = peek(1);
        at_ = std::min(at_ + 2, text_.size());
        if (const auto place = kLetters.find(c); c != '\0' && place != std::string_view::npos)
            out += kMeanings[place];
        else if (c == '\n')
            ++line_;
        else if (c == 'x')
            out += static_cast<char>(digits(2, 2, 16));
        else if (c == 'u')
            append_utf8(out, digits(4, 4, 16));
        else if (c >= '0' && c <= '7') {
            --at_;
            out += static_cast<char>(digits(1, 3, 8));
        } else {  // as Python leaves it
            out += '\\';
            out += c;
        }
    }

    std::uint32_t digits(int least, int most, std::uint32_t base) {
        std::uint32_t value = 0;
        int count = 0;
        for (; count < most; ++count, ++at_) {
            constexpr std::string_view kDigits = "0123456789abcdef";
            const char c = peek() >= 'A' && peek() <= 'F' ? static_cast<char>(peek() + ('a' - 'A')) : peek();
            const auto digit = kDigits.find(c);
            if (c == '\0' || digit == std::string_view::npos || digit >= base)
                break;
            value = value * base + static_cast<std::uint32_t>(digit);
        }
        if (count < least)
            fail("an escape in a string has too few digits");
        return value;
    }

    // A list, a tuple, or an expression in parentheses.
    Value bracketed(char end) {
        constexpr int kDeepest = 32;
        const int begins = line_;
        ++at_;
        if (++depth_ > kDeepest)
            fail(fmt::format("brackets are nested deeper than {}", kDeepest));
        std::vector<CfgValue> items;
        bool has_comma = false;
        Value only;
        for (skip_blanks(); peek() != end; skip_blanks()) {
            if (at_ >= text_.size()) {
                line_ = begins;
                fail(fmt::format("the {} that begins here is not closed", end == ']' ? "list" : "parenthesis"));
            }
            only = sum();
            items.push_back(only.value);
            skip_blanks();
            if (peek() == ',')
                has_comma = true;
            else if (peek() != end && at_ < text_.size())
                fail(fmt::format("',' or '{}' is wanted before {}", end, quote(std::string_view(&text_[at_], 1))));
            if (peek() == ',')
                ++at_;
        }
        ++at_;
        --depth_;
        if (end == ')' && items.size() == 1 && !has_comma)
            return only;
        return {{begins, std::move(items)}, false, end == ')'};
    }

    std::string_view text_, file_;
    std::size_t at_ = 0;
    int line_ = 1, depth_ = 0;
    std::map<std::string, CfgEntry> entries_;
};

}  // namespace

std::map<std::string, CfgEntry> parse_python_cfg(std::string_view text, std::string_view file) {
    return PythonReader(text, file).run();
}

}  // namespace vprov::hypervisor
