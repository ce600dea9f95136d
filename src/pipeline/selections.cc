#include "pipeline/selections.h"

#include <fmt/format.h>

#include "base/text.h"

namespace vprov::pipeline {
namespace {

std::string key_of(const BootstrapRequest& request) {
    std::string key = fmt::format("{} {}\n{}\n", request.architecture, joined(request.foreign_architectures, ","),
                                  request.lock.native());
    for (const auto& r : request.repositories)
        key += fmt::format("{} {} {} {} {}{}{} {} {}\n", r.uri, r.suite, joined(r.components, ","),
                           r.signed_by.native(), r.trusted, r.check_valid_until, r.allow_weak_digests, r.embedded_key,
                           joined(r.architectures, ","));
    for (const auto& deb : request.debs) key += deb.origin() + "\n";
    const auto& packages = request.packages;
    return key + fmt::format("{} {}\n{}\n{}\n", static_cast<int>(packages.variant), packages.recommends,
                             joined(packages.include, " "), joined(packages.exclude, " "));
}

}  // namespace

std::shared_ptr<const Selection> Selections::find(const BootstrapRequest& request) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key_of(request));
    return found == known_.end() ? nullptr : found->second;
}

std::shared_ptr<const Selection> Selections::add(const BootstrapRequest& request, Selection selection) {
    const std::lock_guard lock(mutex_);
    return known_[key_of(request)] = std::make_shared<const Selection>(std::move(selection));
}

}  // namespace vprov::pipeline
