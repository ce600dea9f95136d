#include "bootstrap/resolve/creation_order.h"

#include <algorithm>

namespace vprov::resolve {

// Names only; a full parse of every relation in the archive would take longer than everything else.
void CreationOrder::meet_all(std::string_view relations, bool provides) {
    constexpr std::string_view kBlanks = " \t\r\n,|";
    constexpr std::string_view kNameEnds = " \t\r\n,|([<";
    for (auto start = relations.find_first_not_of(kBlanks); start != std::string_view::npos;) {
        const auto end = std::min(relations.find_first_of(kNameEnds, start), relations.size());
        auto name = relations.substr(start, end - start);
        auto qualifier = std::string_view{};
        if (const auto colon = name.find(':'); colon != std::string_view::npos) {
            qualifier = name.substr(colon + 1);
            name = name.substr(0, colon);
        }
        // "foo:any" is a name of its own.
        if (qualifier.empty() || qualifier == index_.architecture() || (qualifier == "native" && !provides))
            meet(name);
        const auto next = relations.find_first_of(",|", end);
        start = next == std::string_view::npos ? next : relations.find_first_not_of(kBlanks, next);
    }
}

void CreationOrder::read_next_package() {
    const auto& package = index_.packages()[next_++];
    meet(package.name);
    for (const auto relations : {package.pre_depends, package.depends, package.conflicts, package.breaks,
                                 package.recommends, package.suggests, package.replaces, package.enhances})
        meet_all(relations, false);
    meet_all(package.provides, true);
}

bool CreationOrder::is_before(std::string_view a, std::string_view b) {
    for (;;) {
        const auto rank_a = rank_.find(a);
        const auto rank_b = rank_.find(b);
        const bool has_a = rank_a != rank_.end();
        const bool has_b = rank_b != rank_.end();
        if (has_a && has_b)
            return rank_a->second < rank_b->second;
        if (has_a || has_b || next_ == index_.packages().size())
            return has_a;
        // By whole packages: both may be met within one.
        read_next_package();
    }
}

}  // namespace vprov::resolve
