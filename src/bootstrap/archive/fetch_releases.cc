#include "bootstrap/archive/fetch_releases.h"

#include <filesystem>
#include <future>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/clear_signed.h"
#include "bootstrap/archive/last_seen.h"
#include "bootstrap/archive/release_store.h"
#include "bootstrap/archive/signature.h"
#include "bootstrap/archive/url.h"

namespace vprov::archive {
namespace {

constexpr Bytes kLargestRelease = 16_MiB;  // Debian's are 0.2 MB

struct Answer {
    std::string url, data;
    Transfer::Outcome outcome;
    std::optional<KeptRelease> kept;  // what the cache has of it
};

struct Asked {
    const Repository* repository = nullptr;
    Answer in_release, release, signature;
};

Transfer transfer_into(Answer& answer, std::string url) {
    answer.url = std::move(url);
    Transfer transfer;
    transfer.url = answer.url;
    transfer.limit = kLargestRelease;
    transfer.on_data = [&answer](std::string_view portion) {
        answer.data += portion;
        return true;
    };
    transfer.on_restart = [&answer] { answer.data.clear(); };
    if (answer.kept)
        transfer.known = answer.kept->validator;
    transfer.on_end = [&answer](const Transfer::Outcome& outcome) {
        answer.outcome = outcome;
        if (outcome.unchanged)
            answer.data = answer.kept->data;
    };
    return transfer;
}

void fetch_all(std::vector<Asked>& asked, const Access& access) {
    auto& transport = access.transport;
    std::vector<Transfer> transfers;
    transfers.reserve(asked.size());
    for (auto& one : asked) {
        const auto url = release_url(*one.repository, "InRelease");
        one.in_release.kept = ReleaseStore(access.cache, url).find();
        transfers.push_back(transfer_into(one.in_release, url));
    }
    transport.run(transfers);
    transfers.clear();
    for (auto& one : asked) {
        if (!one.in_release.outcome.missing)
            continue;
        transfers.push_back(transfer_into(one.release, release_url(*one.repository, "Release")));
        if (!one.repository->trusted)
            transfers.push_back(transfer_into(one.signature, release_url(*one.repository, "Release.gpg")));
    }
    transport.run(transfers);
}

void check_reached(const Answer& answer) {
    if (!answer.outcome.failure.empty())
        throw error(ErrorKind::archive, "cannot fetch {}: {}", shown_url(answer.url), answer.outcome.failure);
}

void check_found(const Asked& asked) {
    const auto& repository = *asked.repository;
    if (!asked.in_release.outcome.missing)
        return check_reached(asked.in_release);
    if (asked.release.outcome.missing)
        throw error(ErrorKind::archive, "cannot find suite {} at {}: {}", quote(repository.suite),
                    shown_url(without_trailing_slashes(repository.uri)), asked.release.outcome.failure);
    check_reached(asked.release);
    if (!repository.trusted && !asked.signature.outcome.missing)
        check_reached(asked.signature);
}

SignedText trusted_text(const Asked& asked) {
    const auto& in_release = asked.in_release.data;
    if (!asked.in_release.outcome.failure.empty())
        return {asked.release.data, ""};
    check_clear_signed(in_release);
    return {clear_text(in_release), ""};
}

SignedText verified_text(const Asked& asked, os::CommandRunner& runner, const std::filesystem::path& work) {
    const auto& repository = *asked.repository;
    if (repository.trusted)
        return trusted_text(asked);
    std::filesystem::create_directory(work);
    SignatureRules rules{repository.signed_by,
                         repository.allow_weak_digests ? WeakHashes::allowed : WeakHashes::refused};
    rules.embedded_key = repository.embedded_key;
    if (asked.in_release.outcome.failure.empty())
        return verify_clear_signed(asked.in_release.data, rules, runner, work);
    if (asked.signature.outcome.missing)
        throw error(ErrorKind::archive, "it is not signed");
    return verify_detached(asked.release.data, asked.signature.data, rules, runner, work);
}

deb::Release release_of(const Repository& repository, const ReleaseFile& file, const SignedText& text) {
    deb::Release release;
    release.uri = without_trailing_slashes(repository.uri);
    release.suite = repository.suite;
    release.origin = file.origin;
    release.label = file.label;
    release.archive = file.suite;
    release.codename = file.codename;
    release.version = file.version;
    release.date = file.date;
    release.valid_until = file.valid_until;
    release.key = text.key;
    release.digest = sha256(text.text);
    release.weak_digests = file.digests != DigestKind::sha256 || repository.allow_weak_digests;
    release.not_automatic = file.not_automatic;
    release.but_automatic_upgrades = file.but_automatic_upgrades;
    return release;
}

// Where nothing is signed anybody can name any date, so there is nothing to remember either.
void check_not_replayed(const Repository& repository, const ReleaseFile& file, const Cache& cache) {
    if (repository.trusted || !repository.check_valid_until)
        return;
    const LastSeen last(cache, repository.uri, repository.suite);
    const auto known = last.date();
    if (known && (!file.date_seconds || *file.date_seconds < *known))
        throw error(ErrorKind::archive, "its Release file is of {}, older than the one of {} seen before",
                    file.date_seconds ? date_text(*file.date_seconds) : "no known date", date_text(*known));
    if (file.date_seconds)
        last.remember(*file.date_seconds);
}

// Runs `step`; what it throws as a bare cause gets the sentence's beginning.
template <class Step>
auto in_context(std::string_view verb, const Repository& repository, Step&& step) {
    try {
        return step();
    } catch (Error& e) {
        if (e.kind() == ErrorKind::archive)
            e.add_context(fmt::format("cannot {} {}", verb, name_of(repository)));
        throw;
    }
}

// In a thread of its own: gpgv takes 0.02 s for each.
std::future<SignedText> verification(const Asked& asked, const Access& access) {
    check_found(asked);
    return std::async(std::launch::async, [&asked, &runner = access.runner, work = access.incoming.new_path()] {
        return in_context("trust", *asked.repository, [&] { return verified_text(asked, runner, work); });
    });
}

VerifiedRelease verified(const Asked& asked, const SignedText& text, std::string_view architecture, std::int64_t today,
                         const Access& access) {
    const auto& repository = *asked.repository;
    return in_context("use", repository, [&] {
        VerifiedRelease result;
        result.file = parse_release(text.text);
        check_usable(result.file, repository, architecture, today);
        check_not_replayed(repository, result.file, access.cache);
        result.release = release_of(repository, result.file, text);
        return result;
    });
}

// For the next question, and for work without a network.
void keep(const Asked& asked, const Cache& cache) {
    for (const auto* answer : {&asked.in_release, &asked.release, &asked.signature}) {
        if (answer->url.empty() || answer->outcome.unchanged)
            continue;
        const ReleaseStore store(cache, answer->url);
        if (answer->outcome.missing)
            store.forget();
        else if (!answer->data.empty())
            store.keep(answer->data, answer->outcome.validator);
    }
}

}  // namespace

std::string name_of(const Repository& repository) {
    return fmt::format("{} {}", shown_url(without_trailing_slashes(repository.uri)), repository.suite);
}

std::string release_url(const Repository& repository, std::string_view path) {
    if (is_flat(repository))
        return url_of(repository.uri, fmt::format("{}{}", repository.suite, path));
    return url_of(repository.uri, fmt::format("dists/{}/{}", repository.suite, path));
}

std::vector<VerifiedRelease> fetch_releases(const std::vector<Repository>& repositories,
                                            const deb::Architectures& architectures, std::int64_t today,
                                            const Access& access) {
    std::vector<Asked> asked(repositories.size());
    for (std::size_t i = 0; i < repositories.size(); ++i) asked[i].repository = &repositories[i];
    fetch_all(asked, access);
    std::vector<std::future<SignedText>> texts;
    texts.reserve(asked.size());
    for (const auto& one : asked) texts.push_back(verification(one, access));
    std::vector<VerifiedRelease> releases;
    releases.reserve(asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i)
        releases.push_back(verified(asked[i], texts[i].get(), architectures.native(), today, access));
    for (const auto& one : asked) keep(one, access.cache);
    return releases;
}

}  // namespace vprov::archive
