// Satisfiability of clauses, with the caller's order of preference: conflict-driven search that decides only what some
// demand asks for. Marques-Silva and Sakallah, "GRASP" (1996); watched literals after Moskewicz et al., "Chaff" (2001).
// Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace vprov::resolve {

// A variable or its negation.
struct Literal {
    std::uint32_t code = 0;
    static Literal yes(std::uint32_t variable) { return {2 * variable}; }
    static Literal no(std::uint32_t variable) { return {2 * variable + 1}; }
    std::uint32_t variable() const { return code / 2; }
    bool is_negated() const { return code % 2 != 0; }
    Literal operator~() const { return {code ^ 1U}; }
    bool operator==(const Literal&) const = default;
};

class Clauses {
  public:
    std::uint32_t new_variable();
    void add(std::vector<Literal> clause);  // one of them must hold
    // Once `owner` holds, one of `options` must: the first that can is taken. Those without an owner come first.
    void add_demand(std::uint32_t owner, const std::vector<std::uint32_t>& options);
    void add_demand(const std::vector<std::uint32_t>& options);

    // False if there is no solution, or none was found after `most_conflicts`.
    bool solve(std::size_t most_conflicts);
    bool holds(std::uint32_t variable) const { return values_[variable] == Value::yes; }  // after solve()

  private:
    enum class Value : std::int8_t { open, yes, no };
    static constexpr std::uint32_t kNoClause = UINT32_MAX;

    Value value(Literal literal) const;
    bool assign(Literal literal, std::uint32_t reason);
    std::uint32_t attach(std::vector<Literal> clause);
    std::uint32_t propagate();
    bool visit_watchers(Literal falsified, std::uint32_t& conflict);
    std::vector<Literal> learn(std::uint32_t conflict, std::uint32_t& level);
    void undo_to(std::uint32_t level);
    bool resolve_conflict(std::uint32_t conflict);
    bool decide();
    bool decide_one_of(const std::vector<std::vector<std::uint32_t>>& demands);

    std::vector<std::vector<Literal>> clauses_;
    std::vector<std::vector<std::uint32_t>> watchers_;  // by literal: clauses that watch it
    std::vector<Literal> units_;
    bool contradictory_ = false;
    std::vector<std::vector<std::uint32_t>> first_demands_;
    std::vector<std::vector<std::vector<std::uint32_t>>> demands_;  // by variable

    std::vector<Value> values_;
    std::vector<std::uint32_t> reasons_, levels_;
    std::vector<Literal> trail_;
    std::vector<std::size_t> level_starts_;
    std::size_t next_ = 0;  // of the trail, to be propagated
};

}  // namespace vprov::resolve
