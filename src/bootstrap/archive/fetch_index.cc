#include <algorithm>
#include <future>
#include <list>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/archive.h"
#include "bootstrap/archive/decompress.h"
#include "bootstrap/archive/fetch_releases.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/archive/index_store.h"
#include "bootstrap/archive/url.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {

constexpr Bytes kLargestPackagesFile = 2_GiB;  // where the Release does not say how large the text is

// One Packages file on its way from the mirror, or from the cache, to its text.
struct Wanted {
    const Repository* repository = nullptr;
    std::size_t release = 0;
    IndexFile file;
    std::string url, data, mismatch;
    bool plain_path = false;  // by-hash was offered, but the file is not there
    std::future<std::string> text;
};

class IndexFetch {
  public:
    IndexFetch(Transport& transport, const Cache& cache, Incoming& incoming, Progress& progress)
        : transport_(transport), cache_(cache), incoming_(incoming), progress_(progress) {}

    void fetch(std::list<Wanted>& all) {
        take_cached(all);
        for (const auto& one : all)
            if (!one.text.valid())
                state_.bytes_total += one.file.fetched.size;
        run(all, Transfer::Source::any);
        run(all, Transfer::Source::origin);  // a cache on the way may hold an old or damaged copy
        for (const auto& one : all)
            if (!one.mismatch.empty())
                throw error(ErrorKind::archive, "cannot accept {}: {}", shown_url(one.url), one.mismatch);
    }

  private:
    // What the cache holds undamaged, decompressed in threads of their own.
    void take_cached(std::list<Wanted>& all) {
        for (auto& one : all) {
            if (one.file.fetched.is_weak())
                continue;
            const auto path = cache_.find(one.file.fetched.digest, one.file.fetched.size);
            if (!path)
                continue;
            one.url = url_of(one);
            one.data = os::read_file(*path);
            if (sha256(one.data) == one.file.fetched.digest)
                one.text = std::async(std::launch::async, [&one] { return unpacked(one); });
            else
                one.data.clear();
        }
    }

    static std::string url_of(const Wanted& one) {
        return release_url(*one.repository,
                           one.file.by_hash && !one.plain_path ? one.file.by_hash_path() : one.file.path);
    }

    void run(std::list<Wanted>& all, Transfer::Source source) {
        std::vector<Transfer> transfers;
        for (auto& one : all)
            if (!one.text.valid())
                transfers.push_back(transfer_of(one, source));
        if (transfers.empty())
            return;
        transport_.run(transfers);
        std::vector<Transfer> again;
        for (auto& one : all)
            if (!one.text.valid() && one.plain_path)
                again.push_back(transfer_of(one, source));
        transport_.run(again);
    }

    Transfer transfer_of(Wanted& one, Transfer::Source source) {
        one.url = url_of(one);
        one.mismatch.clear();
        Transfer transfer;
        transfer.url = one.url;
        transfer.limit = one.file.fetched.size;
        transfer.source = source;
        transfer.on_data = [this, &one](std::string_view portion) {
            one.data.reserve(one.file.fetched.size.value);
            one.data += portion;
            advance(one, static_cast<std::int64_t>(portion.size()));
            return true;
        };
        transfer.on_restart = [this, &one] { forget(one); };
        transfer.on_end = [this, &one](const Transfer::Outcome& outcome) { ended(one, outcome); };
        return transfer;
    }

    void advance(const Wanted& one, std::int64_t bytes) {
        const auto detail = fmt::format("{} {}", one.repository->suite, one.file.path);
        state_.bytes_done.value += static_cast<std::uint64_t>(bytes);
        state_.detail = detail;
        progress_.advanced(Stage::index, state_);
        state_.detail = {};
    }

    void forget(Wanted& one) {
        advance(one, -static_cast<std::int64_t>(one.data.size()));
        one.data.clear();
    }

    void ended(Wanted& one, const Transfer::Outcome& outcome) {
        if (outcome.missing && one.file.by_hash && !one.plain_path) {
            one.plain_path = true;  // as apt: some mirrors do not carry by-hash
            return;
        }
        if (!outcome.failure.empty())
            throw error(ErrorKind::archive, "cannot fetch {}: {}", shown_url(one.url), outcome.failure);
        check(one);
        if (!one.mismatch.empty())
            return forget(one);
        one.text = std::async(std::launch::async, [this, &one, entry = incoming_.new_path()] {
            auto text = unpacked(one);
            if (!one.file.fetched.is_weak()) {
                IncomingFile file(entry);
                file.write(one.data);
                file.publish(cache_, one.file.fetched.digest);
            }
            std::string().swap(one.data);
            return text;
        });
    }

    static void check(Wanted& one) {
        const auto& listed = one.file.fetched;
        if (Bytes{one.data.size()} != listed.size) {
            one.mismatch = fmt::format("it has {} bytes, the Release file says {}", one.data.size(), listed.size.value);
            return;
        }
        if (const auto hex = listed.hex_of(one.data); hex != listed.hex())
            one.mismatch = fmt::format("its {} is {}, the Release file says {}", listed.kind_name(), hex, listed.hex());
    }

    // A verified compressed file to a verified text.
    static std::string unpacked(Wanted& one) {
        const auto& plain = one.file.plain;
        try {
            const auto limit = plain ? plain->size : kLargestPackagesFile;
            auto text = decompressed(one.data, one.file.path, plain ? plain->size : Bytes{8 * one.data.size()}, limit);
            if (plain)
                check_text(text, *plain);
            return text;
        } catch (Error& e) {
            if (e.kind() == ErrorKind::archive)
                e.add_context(fmt::format("cannot accept {}", shown_url(one.url)));
            throw;
        }
    }

    static void check_text(std::string_view text, const ListedFile& listed) {
        if (Bytes{text.size()} != listed.size)
            throw error(ErrorKind::archive, "it decompresses to {} bytes, the Release file says {}", text.size(),
                        listed.size.value);
        if (const auto hex = listed.hex_of(text); hex != listed.hex())
            throw error(ErrorKind::archive, "decompressed, its {} is {}, the Release file says {}", listed.kind_name(),
                        hex, listed.hex());
    }

    Transport& transport_;
    const Cache& cache_;
    Incoming& incoming_;
    Progress& progress_;
    StageProgress state_;
};

std::list<Wanted> wanted_of(const std::vector<Repository>& repositories, const std::vector<VerifiedRelease>& releases,
                            const deb::Architectures& architectures) {
    std::list<Wanted> all;
    for (std::size_t i = 0; i < repositories.size(); ++i) {
        try {
            for (auto& file : packages_files(releases[i].file, repositories[i], architectures)) {
                auto& one = all.emplace_back();
                one.repository = &repositories[i];
                one.release = i;
                one.file = std::move(file);
            }
        } catch (Error& e) {
            e.add_context("cannot use " + name_of(repositories[i]));
            throw;
        }
    }
    return all;
}

IndexKey key_of(const deb::Architectures& architectures, const std::vector<VerifiedRelease>& releases,
                const std::list<Wanted>& all) {
    IndexKey key(architectures);
    auto file = all.begin();
    for (std::size_t i = 0; i < releases.size(); ++i) {
        key.add_release(releases[i].release);
        for (; file != all.end() && file->release == i; ++file) key.add_file(file->file);
    }
    return key;
}

void warn_of_lacking(const std::vector<Repository>& repositories, const std::vector<VerifiedRelease>& releases,
                     const deb::Architectures& architectures, Progress& progress) {
    for (std::size_t i = 0; i < repositories.size(); ++i)
        for (const auto& name : lacking_architectures(releases[i].file, repositories[i], architectures))
            progress.warning(fmt::format("{} has no packages for {}, only for {}", name_of(repositories[i]),
                                         quote(name), joined(releases[i].file.architectures, " ")));
}

std::vector<deb::Release> releases_of(const std::vector<VerifiedRelease>& verified) {
    std::vector<deb::Release> releases;
    releases.reserve(verified.size());
    for (const auto& one : verified) releases.push_back(one.release);
    return releases;
}

}  // namespace

deb::PackageIndex fetch_index(const std::vector<Repository>& repositories, const deb::Architectures& architectures,
                              Transport& transport, os::CommandRunner& runner, Cache& cache, std::int64_t today,
                              Progress& progress, const std::vector<LocalPackages>& local) {
    const auto incoming = std::make_shared<Incoming>(cache);
    const auto releases = fetch_releases(repositories, architectures, today, {transport, runner, cache, *incoming});
    IndexFetch fetching(transport, cache, *incoming, progress);
    warn_of_lacking(repositories, releases, architectures, progress);
    auto all = wanted_of(repositories, releases, architectures);  // after `fetching`: its threads end before that does
    const IndexStore store(cache, key_of(architectures, releases, all));
    if (local.empty())
        if (auto index = store.find(architectures, releases_of(releases)))
            return std::move(*index);
    fetching.fetch(all);
    deb::PackageIndex index(architectures);
    std::size_t added = releases.size();
    for (auto& one : all) {
        os::check_stop();
        if (added == one.release)
            index.add_to_last(one.text.get());
        else
            index.add(releases[one.release].release, one.text.get());
        added = one.release;
    }
    for (const auto& one : local) index.add(one.release, one.text);
    if (local.empty())
        store.keep(index, incoming);
    return index;
}

}  // namespace vprov::archive
