// Hand-written archives for the resolver's tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "bootstrap/resolve/resolve.h"

namespace vprov::resolve {

// "name version" and then fields, each on its line: a stanza of a Packages file. Blanks before a line are not part of
// it.
class TestArchive {
  public:
    explicit TestArchive(deb::Architectures architectures = "amd64") : index_(std::move(architectures)) {}

    TestArchive& add(std::string_view suite, std::string_view short_stanzas) {
        deb::Release release;
        release.uri = "http://mirror.example.org/debian";
        release.suite = suite;
        return add(std::move(release), short_stanzas);
    }
    TestArchive& add(deb::Release release, std::string_view short_stanzas);
    const deb::PackageIndex& index() const { return index_; }

    // "a=1 b:i386=2*": the names with their versions, a star behind automatic ones; or the error's message.
    std::string choose(std::vector<std::string> include, std::vector<std::string> exclude = {}, bool recommends = false,
                       Variant variant = Variant::essential) const;

  private:
    deb::PackageIndex index_;
};

}  // namespace vprov::resolve
