#include "bootstrap/resolve/name_table.h"

#include <algorithm>

#include "bootstrap/deb/relation.h"

namespace vprov::resolve {
namespace {

// apt 2.x: pkgCache::sHash, APT::Cache-HashTableSize
std::uint32_t bucket_of(std::string_view name) {
    std::uint32_t hash = 5381;
    for (const char c : name) hash = 33 * hash + (static_cast<unsigned char>(c) | 0x20U);
    return hash % 196613;
}

}  // namespace

NameTable::NameTable(const deb::PackageIndex& index) : index_(index) {
    // apt's own name for the kernels that are kept
    add("$kernel", "any");
    add("$kernel", "$kernel");
    for (const auto& package : index.packages()) add_package(package);
    std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) {
        if (a.bucket != b.bucket)
            return a.bucket < b.bucket;
        if (a.entry.name.size() != b.entry.name.size())
            return a.entry.name.size() < b.entry.name.size();
        const auto order = a.entry.name.compare(b.entry.name);
        return order != 0 ? order < 0 : a.number < b.number;
    });
    entries_.reserve(members_.size());
    for (const auto& member : members_) entries_.push_back(member.entry);
}

bool NameTable::contains(std::string_view name, std::string_view architecture) const {
    const auto found = architectures_of_.find(name);
    return found != architectures_of_.end() &&
           std::find(found->second.begin(), found->second.end(), architecture) != found->second.end();
}

void NameTable::add(std::string_view name, std::string_view architecture) {
    if (architecture == "all")
        architecture = index_.architectures().native();
    auto& architectures = architectures_of_[name];
    if (std::find(architectures.begin(), architectures.end(), architecture) != architectures.end())
        return;
    architectures.push_back(architecture);
    members_.push_back({{name, architecture}, bucket_of(name), static_cast<std::uint32_t>(members_.size())});
    // With "foo:i386" comes foo of i386.
    const auto colon = name.rfind(':');
    if (architecture == "any" && colon != std::string_view::npos && name.substr(colon + 1) != "any")
        add(name.substr(0, colon), name.substr(colon + 1));
}

void NameTable::add_relations(const deb::Package& package, std::string_view field, bool is_negative) {
    deb::RelationReader reader(field);
    for (deb::Relation relation; reader.next(relation);) {
        // What a conflict hits is every package of the name; one is made up only where there is none at all.
        const bool only_if_new = is_negative && (relation.architecture.empty() || relation.architecture == "any");
        auto name = relation.name;
        if (relation.architecture == "native")
            name = keep(std::string(name) + ":" + index_.architectures().native());
        else if (!relation.architecture.empty())
            name = std::string_view(name.data(), name.size() + 1 + relation.architecture.size());
        if (!only_if_new || !architectures_of_.contains(name))
            add(name, relation.architecture.empty() ? package.architecture : "any");
    }
}

void NameTable::add_provides(const deb::Package& package) {
    deb::RelationReader reader(package.provides);
    for (deb::Relation relation; reader.next(relation);) {
        if (!relation.architecture.empty()) {
            if (relation.architecture != "any")
                add(relation.name, relation.architecture);
            add(std::string_view(relation.name.data(), relation.name.size() + 1 + relation.architecture.size()), "any");
            continue;
        }
        if (package.multi_arch == "allowed")
            add(keep(std::string(relation.name) + ":any"), "any");
        if (package.multi_arch != "foreign" || !architectures_of_.contains(relation.name))
            add(relation.name,
                package.multi_arch == "foreign" ? index_.architectures().native() : package.architecture);
    }
}

void NameTable::add_package(const deb::Package& package) {
    add(package.name, package.architecture);
    for (const auto field : {package.pre_depends, package.depends}) add_relations(package, field, false);
    for (const auto field : {package.conflicts, package.breaks}) add_relations(package, field, true);
    for (const auto field : {package.recommends, package.suggests}) add_relations(package, field, false);
    add_relations(package, package.replaces, true);
    add_relations(package, package.enhances, false);
    add_provides(package);
    if (package.multi_arch == "allowed")
        add(keep(std::string(package.name) + ":any"), "any");
}

}  // namespace vprov::resolve
