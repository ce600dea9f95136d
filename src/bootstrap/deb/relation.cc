#include "bootstrap/deb/relation.h"

#include <algorithm>
#include <compare>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/version.h"

namespace vprov::deb {
namespace {

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr bool ends_name(char c) {
    return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '|' || c == '[' || c == ']' || c == '<' || c == '>';
}

std::string_view symbol(VersionOperator op) {
    switch (op) {
        case VersionOperator::none:
            return "";
        case VersionOperator::less:
            return "<<";
        case VersionOperator::less_equal:
            return "<=";
        case VersionOperator::equal:
            return "=";
        case VersionOperator::greater_equal:
            return ">=";
        case VersionOperator::greater:
            return ">>";
        case VersionOperator::not_equal:
            return "!=";
    }
    return "";
}

// The operator at the beginning of `text`, and its length; a missing one means "=", as for apt.
struct OperatorAtStart {
    VersionOperator op;
    std::size_t length;
};

OperatorAtStart operator_of(std::string_view text) {
    if (text.starts_with("<<"))
        return {VersionOperator::less, 2};
    if (text.starts_with("<="))
        return {VersionOperator::less_equal, 2};
    if (text.starts_with('<'))
        return {VersionOperator::less_equal, 1};
    if (text.starts_with(">>"))
        return {VersionOperator::greater, 2};
    if (text.starts_with(">="))
        return {VersionOperator::greater_equal, 2};
    if (text.starts_with('>'))
        return {VersionOperator::greater_equal, 1};
    return {VersionOperator::equal, text.starts_with('=') ? 1U : 0U};
}

}  // namespace

std::string to_string(const Relation& relation) {
    std::string text(relation.name);
    if (!relation.architecture.empty())
        text.append(":").append(relation.architecture);
    if (relation.op != VersionOperator::none)
        text += fmt::format(" ({} {})", symbol(relation.op), relation.version);
    return text;
}

bool satisfies(std::string_view version, const Relation& relation) {
    if (relation.op == VersionOperator::none)
        return true;
    const auto order = compare_versions(version, relation.version);
    switch (relation.op) {
        case VersionOperator::less:
            return std::is_lt(order);
        case VersionOperator::less_equal:
            return std::is_lteq(order);
        case VersionOperator::equal:
            return std::is_eq(order);
        case VersionOperator::greater_equal:
            return std::is_gteq(order);
        case VersionOperator::greater:
            return std::is_gt(order);
        case VersionOperator::not_equal:
            return std::is_neq(order);
        case VersionOperator::none:
            break;
    }
    return true;
}

bool is_package_name(std::string_view text) {
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && is_alphanumeric(text.front()) && std::all_of(text.begin(), text.end(), [&](char c) {
        return is_alphanumeric(c) || c == '+' || c == '-' || c == '.' || c == '_';
    });
}

void RelationReader::fail(std::string_view cause) const {
    throw error(ErrorKind::archive, "cannot read relation {}: {}", quote(field_.substr(0, 200)), cause);
}

void RelationReader::skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

void RelationReader::read_version(Relation& relation) {
    const auto close = rest_.find(')');
    if (close == std::string_view::npos)
        fail("a '(' is not closed");
    auto inside = trimmed(rest_.substr(1, close - 1));
    const auto [op, length] = operator_of(inside);
    relation.op = op;
    relation.version = trimmed(inside.substr(length));
    if (!is_version(relation.version))
        fail(fmt::format("{} is not a version", quote(relation.version)));
    rest_.remove_prefix(close + 1);
    skip_blanks();
}

void RelationReader::skip_restrictions() {
    while (!rest_.empty() && (rest_.front() == '[' || rest_.front() == '<')) {
        const auto close = rest_.find(rest_.front() == '[' ? ']' : '>');
        if (close == std::string_view::npos)
            fail("a restriction is not closed");
        rest_.remove_prefix(close + 1);
        skip_blanks();
    }
}

bool RelationReader::next(Relation& relation) {
    skip_blanks();
    if (rest_.empty()) {
        if (or_before_)
            fail("nothing follows the '|'");
        return false;
    }
    relation = {};
    std::size_t end = 0;
    std::size_t colon = std::string_view::npos;
    for (; end < rest_.size() && !ends_name(rest_[end]); ++end)
        if (rest_[end] == ':')
            colon = end;
    relation.name = rest_.substr(0, std::min(end, colon));
    if (colon != std::string_view::npos)
        relation.architecture = rest_.substr(colon + 1, end - colon - 1);
    if (relation.name.empty())
        fail("a name is missing");
    rest_.remove_prefix(end);
    skip_blanks();
    if (rest_.starts_with('('))
        read_version(relation);
    skip_restrictions();
    or_before_ = relation.or_next = rest_.starts_with('|');
    if (!rest_.empty() && !or_before_ && rest_.front() != ',')
        fail(fmt::format("{} stands where ',' or '|' should", quote(rest_.substr(0, 1))));
    if (!rest_.empty())
        rest_.remove_prefix(1);
    return true;
}

std::vector<Relation> read_relations(std::string_view field) {
    std::vector<Relation> relations;
    RelationReader reader(field);
    for (Relation relation; reader.next(relation);) relations.push_back(relation);
    return relations;
}

}  // namespace vprov::deb
