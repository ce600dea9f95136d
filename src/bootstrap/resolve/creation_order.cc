#include "bootstrap/resolve/creation_order.h"

#include <algorithm>

namespace vprov::resolve {

bool CreationOrder::is_met(std::string_view name) const {
    return std::any_of(rank_.begin(), rank_.end(), [&](const auto& ranks) { return ranks.contains(name); });
}

void CreationOrder::meet_one(std::string_view name, std::string_view qualifier, const deb::Package& package,
                             Field field) {
    const auto& architectures = index_.architectures();
    if (qualifier == "native" && field != Field::provides)
        qualifier = architectures.native();
    if (!qualifier.empty()) {  // "foo:any" is a name of its own
        if (const auto number = architectures.number_of(qualifier))
            meet(name, *number);
        return;
    }
    const auto own = architectures.number_of(package.architecture).value_or(0);
    if (field == Field::provides && package.multi_arch == "foreign") {
        if (!is_met(name))
            meet(name, 0);
    } else if (field != Field::negative || !is_met(name)) {
        meet(name, own);
    }
}

// Names only; a full parse of every relation in the archive would take longer than everything else.
void CreationOrder::meet_all(std::string_view relations, const deb::Package& package, Field field) {
    constexpr std::string_view kBlanks = " \t\r\n,|";
    constexpr std::string_view kNameEnds = " \t\r\n,|([<";
    for (auto start = relations.find_first_not_of(kBlanks); start != std::string_view::npos;) {
        const auto end = std::min(relations.find_first_of(kNameEnds, start), relations.size());
        const auto text = relations.substr(start, end - start);
        const auto colon = text.find(':');
        meet_one(text.substr(0, colon), colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1),
                 package, field);
        const auto next = relations.find_first_of(",|", end);
        start = next == std::string_view::npos ? next : relations.find_first_not_of(kBlanks, next);
    }
}

void CreationOrder::read_next_package() {
    const auto& package = index_.packages()[next_++];
    meet(package.name, index_.architectures().number_of(package.architecture).value_or(0));
    for (const auto relations : {package.pre_depends, package.depends}) meet_all(relations, package, Field::positive);
    for (const auto relations : {package.conflicts, package.breaks}) meet_all(relations, package, Field::negative);
    for (const auto relations : {package.recommends, package.suggests}) meet_all(relations, package, Field::positive);
    meet_all(package.replaces, package, Field::negative);
    meet_all(package.enhances, package, Field::positive);
    meet_all(package.provides, package, Field::provides);
}

bool CreationOrder::is_before(std::string_view a, std::string_view b, std::size_t architecture) {
    const auto& ranks = rank_[architecture];
    for (;;) {
        const auto rank_a = ranks.find(a);
        const auto rank_b = ranks.find(b);
        const bool has_a = rank_a != ranks.end();
        const bool has_b = rank_b != ranks.end();
        if (has_a && has_b)
            return rank_a->second < rank_b->second;
        if (has_a || has_b || next_ == index_.packages().size())
            return has_a;
        // By whole packages: both may be met within one.
        read_next_package();
    }
}

}  // namespace vprov::resolve
