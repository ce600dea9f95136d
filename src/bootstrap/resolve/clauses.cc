#include "bootstrap/resolve/clauses.h"

#include <algorithm>

namespace vprov::resolve {

std::uint32_t Clauses::new_variable() {
    values_.push_back(Value::open);
    reasons_.push_back(kNoClause);
    levels_.push_back(0);
    demands_.emplace_back();
    watchers_.emplace_back();
    watchers_.emplace_back();
    return static_cast<std::uint32_t>(values_.size() - 1);
}

Clauses::Value Clauses::value(Literal literal) const {
    const auto value = values_[literal.variable()];
    if (value == Value::open || !literal.is_negated())
        return value;
    return value == Value::yes ? Value::no : Value::yes;
}

void Clauses::add(std::vector<Literal> clause) {
    if (clause.empty())
        contradictory_ = true;
    else if (clause.size() == 1)
        units_.push_back(clause.front());
    else
        attach(std::move(clause));
}

void Clauses::add_demand(std::uint32_t owner, const std::vector<std::uint32_t>& options) {
    std::vector<Literal> clause = {Literal::no(owner)};
    for (const auto option : options) clause.push_back(Literal::yes(option));
    add(std::move(clause));
    demands_[owner].push_back(options);
}

void Clauses::add_demand(const std::vector<std::uint32_t>& options) {
    std::vector<Literal> clause;
    clause.reserve(options.size());
    for (const auto option : options) clause.push_back(Literal::yes(option));
    add(std::move(clause));
    first_demands_.push_back(options);
}

// The first two literals are the watched ones.
std::uint32_t Clauses::attach(std::vector<Literal> clause) {
    const auto number = static_cast<std::uint32_t>(clauses_.size());
    watchers_[clause[0].code].push_back(number);
    watchers_[clause[1].code].push_back(number);
    clauses_.push_back(std::move(clause));
    return number;
}

bool Clauses::assign(Literal literal, std::uint32_t reason) {
    if (const auto known = value(literal); known != Value::open)
        return known == Value::yes;
    const auto variable = literal.variable();
    values_[variable] = literal.is_negated() ? Value::no : Value::yes;
    reasons_[variable] = reason;
    levels_[variable] = static_cast<std::uint32_t>(level_starts_.size());
    trail_.push_back(literal);
    return true;
}

bool Clauses::visit_watchers(Literal falsified, std::uint32_t& conflict) {
    auto& watching = watchers_[falsified.code];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < watching.size(); ++i) {
        const auto number = watching[i];
        auto& clause = clauses_[number];
        if (clause[0] == falsified)
            std::swap(clause[0], clause[1]);
        const auto other = std::find_if(clause.begin() + 2, clause.end(),
                                        [&](Literal literal) { return value(literal) != Value::no; });
        if (value(clause[0]) != Value::yes && other != clause.end()) {
            std::swap(clause[1], *other);
            watchers_[clause[1].code].push_back(number);
            continue;
        }
        watching[kept++] = number;
        if (value(clause[0]) == Value::yes || assign(clause[0], number))
            continue;
        conflict = number;
        while (++i < watching.size()) watching[kept++] = watching[i];
    }
    watching.resize(kept);
    return conflict == kNoClause;
}

// The clause that cannot hold any more, or kNoClause.
std::uint32_t Clauses::propagate() {
    auto conflict = kNoClause;
    while (next_ < trail_.size() && visit_watchers(~trail_[next_++], conflict)) {
    }
    return conflict;
}

// What made the conflict, up to the first point through which all of the latest decision's part in it went.
std::vector<Literal> Clauses::learn(std::uint32_t conflict, std::uint32_t& level) {
    const auto current = static_cast<std::uint32_t>(level_starts_.size());
    std::vector<Literal> learnt(1);
    std::vector<bool> seen(values_.size());
    std::size_t open = 0;
    auto at = trail_.size();
    for (auto reason = conflict;;) {
        for (const auto literal : clauses_[reason]) {
            const auto variable = literal.variable();
            if (seen[variable] || levels_[variable] == 0 || value(literal) == Value::yes)
                continue;
            seen[variable] = true;
            if (levels_[variable] == current)
                ++open;
            else
                learnt.push_back(literal);
        }
        do --at;
        while (!seen[trail_[at].variable()]);
        if (--open == 0)
            break;
        reason = reasons_[trail_[at].variable()];
    }
    learnt[0] = ~trail_[at];
    level = 0;
    for (std::size_t i = 1; i < learnt.size(); ++i)
        if (levels_[learnt[i].variable()] > level) {
            level = levels_[learnt[i].variable()];
            std::swap(learnt[1], learnt[i]);
        }
    return learnt;
}

void Clauses::undo_to(std::uint32_t level) {
    const auto start = level_starts_[level];
    for (auto at = start; at < trail_.size(); ++at) values_[trail_[at].variable()] = Value::open;
    trail_.resize(start);
    level_starts_.resize(level);
    next_ = start;
}

bool Clauses::resolve_conflict(std::uint32_t conflict) {
    if (level_starts_.empty())
        return false;
    std::uint32_t level = 0;
    auto learnt = learn(conflict, level);
    undo_to(level);
    const auto asserted = learnt[0];
    return assign(asserted, learnt.size() == 1 ? kNoClause : attach(std::move(learnt)));
}

bool Clauses::decide_one_of(const std::vector<std::vector<std::uint32_t>>& demands) {
    for (const auto& options : demands) {
        if (std::any_of(options.begin(), options.end(), [&](auto option) { return holds(option); }))
            continue;
        const auto open =
            std::find_if(options.begin(), options.end(), [&](auto option) { return values_[option] == Value::open; });
        if (open == options.end())
            continue;  // a clause says that it cannot be
        level_starts_.push_back(trail_.size());
        assign(Literal::yes(*open), kNoClause);
        return true;
    }
    return false;
}

// False when every demand is met.
bool Clauses::decide() {
    if (decide_one_of(first_demands_))
        return true;
    for (const auto literal : trail_)
        if (!literal.is_negated() && decide_one_of(demands_[literal.variable()]))
            return true;
    return false;
}

bool Clauses::solve(std::size_t most_conflicts) {
    if (contradictory_)
        return false;
    for (const auto unit : units_)
        if (!assign(unit, kNoClause))
            return false;
    for (std::size_t conflicts = 0; conflicts < most_conflicts;) {
        const auto conflict = propagate();
        if (conflict == kNoClause) {
            if (!decide())
                return true;
            continue;
        }
        ++conflicts;
        if (!resolve_conflict(conflict))
            return false;
    }
    return false;
}

}  // namespace vprov::resolve
