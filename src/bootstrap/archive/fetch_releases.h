// Release files from the mirrors, verified.
#pragma once

#include <vector>

#include "bootstrap/archive/archive.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/archive/release_file.h"

namespace vprov::archive {

struct VerifiedRelease {
    deb::Release release;
    ReleaseFile file;
};

// "http://mirror.example.org/debian bookworm": how messages name a repository.
std::string name_of(const Repository& repository);

// The URL of a file whose `path` is relative to the Release file.
std::string release_url(const Repository& repository, std::string_view path);

// What a fetch works with. Borrowed.
struct Access {
    Transport& transport;
    os::CommandRunner& runner;
    const Cache& cache;
    Incoming& incoming;
};

// In the order of `repositories`. Remembers in the cache directory which Release it saw last, and refuses older ones.
// `today` is seconds since the epoch. Throws Error(archive) naming the repository.
std::vector<VerifiedRelease> fetch_releases(const std::vector<Repository>& repositories,
                                            const deb::Architectures& architectures, std::int64_t today,
                                            const Access& access);

}  // namespace vprov::archive
