#include "hypervisor/guest/cfg_text.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

enum class Kind { identifier, number, string, newline, semicolon, assign, append, comma, open, close, end };

struct Token {
    Kind kind = Kind::end;
    int line = 1;
    std::string text;  // identifier, number: as written; string: its value
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_identifier_part(char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '.';
}
bool is_number_part(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || c == 'x';
}

std::string described(const Token& token) {
    switch (token.kind) {
        case Kind::identifier:
            return fmt::format("the word {}", quote(token.text));
        case Kind::number:
            return fmt::format("the number {}", token.text);
        case Kind::string:
            return fmt::format("the string {}", quote(token.text));
        case Kind::newline:
            return "the end of the line";
        case Kind::semicolon:
            return "';'";
        case Kind::assign:
            return "'='";
        case Kind::append:
            return "'+='";
        case Kind::comma:
            return "','";
        case Kind::open:
            return "'['";
        case Kind::close:
            return "']'";
        case Kind::end:
            return "the end of the file";
    }
    return "?";
}

class Lexer {
  public:
    Lexer(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    Token next() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
        if (at_ >= text_.size())
            return {Kind::end, line_, ""};
        const char c = text_[at_];
        if (c == '\n' || c == '#')
            return end_of_line();
        if (is_lower(c))
            return word(Kind::identifier, is_identifier_part);
        if (is_digit(c))
            return word(Kind::number, is_number_part);
        if (c == '"' || c == '\'')
            return string(c);
        return mark(c);
    }

    [[noreturn]] void fail(int line, std::string_view cause) const {
        throw error(ErrorKind::hypervisor, "{}:{}: cannot read the configuration: {}", file_, line, cause);
    }

  private:
    Token end_of_line() {
        const auto newline = text_.find('\n', at_);
        at_ = newline == std::string_view::npos ? text_.size() : newline + 1;
        return {newline == std::string_view::npos ? Kind::end : Kind::newline, line_++, ""};
    }

    Token word(Kind kind, bool (*belongs)(char)) {
        const auto start = at_;
        while (at_ < text_.size() && belongs(text_[at_])) ++at_;
        return {kind, line_, std::string(text_.substr(start, at_ - start))};
    }

    Token string(char mark) {
        Token token{Kind::string, line_, ""};
        for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
            if (text_[at_] == mark) {
                ++at_;
                return token;
            }
            token.text += text_[at_] == '\\' ? escaped() : text_[at_];
        }
        fail(line_, fmt::format("the string that begins with {} does not end on its line",
                                quote(mark + token.text.substr(0, 20))));
    }

    // The character that a backslash and the one after it stand for. xl's own numeric escapes do not work in 4.17.
    char escaped() {
        constexpr std::string_view kLetters = "\\\"'abfnrtv";
        constexpr std::string_view kMeanings = "\\\"'\a\b\f\n\r\t\v";
        const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
        const auto place = kLetters.find(c);
        if (place == std::string_view::npos)
            fail(line_, R"(a backslash in a string must be written '\\')");
        ++at_;
        return kMeanings[place];
    }

    Token mark(char c) {
        ++at_;
        switch (c) {
            case ';':
                return {Kind::semicolon, line_, ""};
            case '=':
                return {Kind::assign, line_, ""};
            case ',':
                return {Kind::comma, line_, ""};
            case '[':
                return {Kind::open, line_, ""};
            case ']':
                return {Kind::close, line_, ""};
            case '\r':
                fail(line_, "the line ends with a carriage return; save the file with Unix line ends");
            default:
                break;
        }
        if (c == '+' && at_ < text_.size() && text_[at_] == '=') {
            ++at_;
            return {Kind::append, line_, ""};
        }
        if (c >= 'A' && c <= 'Z')
            fail(line_, "keys are in lower case, and text stands in quotes");
        fail(line_, fmt::format("{} has no meaning here (only strings in quotes, numbers and [lists])",
                                quote(std::string_view(&c, 1))));
    }

    std::string_view text_, file_;
    std::size_t at_ = 0;
    int line_ = 1;
};

class Parser {
  public:
    Parser(std::string_view text, std::string_view file) : lexer_(text, file) { advance(); }

    std::map<std::string, CfgEntry> run() {
        for (;;) {
            while (token_.kind == Kind::newline || token_.kind == Kind::semicolon) advance();
            if (token_.kind == Kind::end)
                return std::move(entries_);
            assignment();
            if (token_.kind != Kind::newline && token_.kind != Kind::semicolon && token_.kind != Kind::end)
                fail_at("a new line or ';' after the value");
        }
    }

  private:
    void advance() { token_ = lexer_.next(); }
    [[noreturn]] void fail_at(std::string_view expected) {
        lexer_.fail(token_.line, fmt::format("expected {}, found {}", expected, described(token_)));
    }

    void assignment() {
        if (token_.kind != Kind::identifier)
            fail_at("a key");
        const Token key = token_;
        advance();
        if (token_.kind != Kind::assign && token_.kind != Kind::append)
            fail_at(fmt::format("'=' after {}", quote(key.text)));
        const bool appends = token_.kind == Kind::append;
        advance();
        if (token_.kind == Kind::identifier)
            lexer_.fail(token_.line,
                        fmt::format("the value {} of {} must stand in quotes", quote(token_.text), quote(key.text)));
        store(key, value(0), appends);
    }

    void store(const Token& key, CfgValue value, bool appends) {
        const auto [place, is_new] = entries_.try_emplace(key.text);
        place->second.line = key.line;
        CfgValue& old = place->second.value;
        if (is_new || !appends) {
            old = std::move(value);
            return;
        }
        if (old.data.index() != value.data.index())
            lexer_.fail(key.line, fmt::format("{} is a {}, and a {} cannot be added to it", quote(key.text),
                                              old.list() ? "list" : "string", old.list() ? "string" : "list"));
        if (auto* text = std::get_if<std::string>(&old.data))
            *text += *value.text();
        else
            for (const auto& item : *value.list()) std::get<std::vector<CfgValue>>(old.data).push_back(item);
    }

    CfgValue value(int depth) {
        constexpr int kDeepest = 32;
        CfgValue value{token_.line, token_.text};
        if (token_.kind == Kind::string || token_.kind == Kind::number) {
            advance();
            return value;
        }
        if (token_.kind != Kind::open)
            fail_at("a string, a number or a list");
        if (depth >= kDeepest)
            lexer_.fail(token_.line, fmt::format("lists are nested deeper than {}", kDeepest));
        value.data = items(depth);
        return value;
    }

    std::vector<CfgValue> items(int depth) {
        const int opened = token_.line;
        std::vector<CfgValue> items;
        advance_over_newlines();
        while (token_.kind != Kind::close) {
            items.push_back(value(depth + 1));
            skip_newlines();
            if (token_.kind == Kind::end)
                lexer_.fail(token_.line, fmt::format("the list that begins in line {} is not closed", opened));
            if (token_.kind == Kind::comma)
                advance_over_newlines();
            else if (token_.kind != Kind::close)
                fail_at("',' or ']'");
        }
        advance();
        return items;
    }

    void skip_newlines() {
        while (token_.kind == Kind::newline) advance();
    }
    void advance_over_newlines() {
        advance();
        skip_newlines();
    }

    Lexer lexer_;
    Token token_;
    std::map<std::string, CfgEntry> entries_;
};

}  // namespace

std::map<std::string, CfgEntry> parse_cfg_text(std::string_view text, std::string_view file) {
    return Parser(text, file).run();
}

}  // namespace vprov::hypervisor
