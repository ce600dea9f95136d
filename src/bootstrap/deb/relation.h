// Relations between packages: the values of Depends, Conflicts, Provides and their kin (Debian Policy 7.1). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::deb {

// As in the field; the old "<" and ">" mean less_equal and greater_equal, as for dpkg. No field says not_equal: it is
// what packages of several architectures ask of each other.
enum class VersionOperator : std::uint8_t { none, less, less_equal, equal, greater_equal, greater, not_equal };

// One "name:architecture (operator version)"; views borrow from the field. Restrictions to architectures in [] and to
// build profiles in <> are skipped: they have no meaning in a binary package.
struct Relation {
    std::string_view name;
    std::string_view architecture;  // the qualifier: "", "any", "native", or a name
    VersionOperator op = VersionOperator::none;
    std::string_view version;  // "" unless there is an operator
    bool or_next = false;      // a "|" follows: the next relation is an alternative to this one
    bool operator==(const Relation&) const = default;
};

// "foo (>= 2)", "foo:any": as apt writes it.
std::string to_string(const Relation& relation);

// Whether `version` is what the relation asks for; one without an operator takes any.
bool satisfies(std::string_view version, const Relation& relation);

bool is_package_name(std::string_view text);  // lower-case letters, digits and +-. (dpkg also takes _ and upper case)

// Reads a field relation by relation.
class RelationReader {
  public:
    explicit RelationReader(std::string_view field) : field_(field), rest_(field) {}
    // False at the end. Throws Error(archive) "cannot read relation 'FIELD': CAUSE" for malformed text.
    bool next(Relation& relation);

  private:
    void skip_blanks();
    void read_version(Relation& relation);
    void skip_restrictions();
    [[noreturn]] void fail(std::string_view cause) const;
    std::string_view field_, rest_;
    bool or_before_ = false;
};

std::vector<Relation> read_relations(std::string_view field);

}  // namespace vprov::deb
