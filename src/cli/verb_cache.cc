#include <fmt/format.h>

#include <array>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/cache_entries.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/unpack/deb_archive.h"
#include "cli/verbs.h"
#include "pipeline/base_image.h"
#include "pipeline/layers.h"

namespace vprov::cli {
namespace {

using archive::CacheEntry;
using archive::EntryKind;

constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr int kDamagedStatus = 4;  // vprov(1), EXIT STATUS: archive or trust

struct CacheOptions {
    std::string action, cache, max_size, max_age;
};

// "hello 2.10-3 amd64", or the entry's own name where it does not say more.
std::string name_of(const CacheEntry& entry) {
    if (entry.kind == EntryKind::package) {
        try {
            for (const auto& file : unpack::DebArchive(entry.path).control())
                if (file.name == "control") {
                    const auto control = deb::read_single_stanza(file.content);
                    return fmt::format("{} {} {}", control.value("Package"), control.value("Version"),
                                       control.value("Architecture"));
                }
        } catch (const Error&) {
            return entry.path.filename().native();  // damaged: `verify` is the verb that says so
        }
    }
    return entry.path.filename().native();
}

std::string date_of(const CacheEntry& entry) {
    const auto seconds = static_cast<std::time_t>(entry.last_used / kNanoseconds);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts)};
}

nlohmann::ordered_json as_json(const CacheEntry& entry) {
    return {{"kind", archive::name(entry.kind)},
            {"name", name_of(entry)},
            {"size", entry.size.value},
            {"last_used", entry.last_used / kNanoseconds},
            {"path", entry.path.native()}};
}

void print_json(const nlohmann::ordered_json& value) {
    fmt::print("{}\n", value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Bytes total_of(const std::vector<CacheEntry>& entries) {
    Bytes total;
    for (const auto& entry : entries) total += entry.size;
    return total;
}

// "3 packages, 1 index": in the order of the kinds.
std::string counts_of(const std::vector<CacheEntry>& entries) {
    std::map<EntryKind, std::size_t> counts;
    for (const auto& entry : entries) ++counts[entry.kind];
    std::vector<std::string> parts;
    for (const auto& [kind, count] : counts) {
        const std::string_view plural = kind == EntryKind::index       ? "indices"
                                        : kind == EntryKind::data_copy ? "data copies"
                                                                       : "";
        parts.push_back(count == 1        ? fmt::format("1 {}", archive::name(kind))
                        : !plural.empty() ? fmt::format("{} {}", count, plural)
                                          : fmt::format("{} {}s", count, archive::name(kind)));
    }
    return parts.empty() ? "nothing" : joined(parts, ", ");
}

void list(const archive::Cache& cache, const Session& session) {
    const auto entries = archive::entries_of(cache);
    if (session.output == OutputMode::json) {
        auto all = nlohmann::ordered_json::array();
        for (const auto& entry : entries) all.push_back(as_json(entry));
        return print_json(all);
    }
    if (!entries.empty())
        fmt::print("{:<12} {:>9}  {:<16}  {}\n", "Kind", "Size", "Last used", "Name");
    for (const auto& entry : entries)
        fmt::print("{:<12} {:>9}  {:<16}  {}\n", archive::name(entry.kind), human(entry.size), date_of(entry),
                   name_of(entry));
    fmt::print("{}: {}, {} of at most {}\n", cache.directory().native(), counts_of(entries), human(total_of(entries)),
               human(archive::Cache::default_bound()));
}

// "30d", "12h", "45m", "90s", "90"
std::chrono::seconds age_of(std::string_view text) {
    constexpr std::array<std::pair<char, long>, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
    auto digits = text;
    long unit = 1;
    for (const auto& [letter, seconds] : kUnits)
        if (!text.empty() && text.back() == letter) {
            unit = seconds;
            digits.remove_suffix(1);
        }
    const auto number = parse_bytes(digits);
    if (!number || digits.empty() || digits.back() < '0' || digits.back() > '9' || number->value > 100'000'000'000)
        throw error(ErrorKind::usage, "cannot use {} as --max-age: it is not an age such as 30d or 12h", quote(text));
    return std::chrono::seconds(static_cast<long>(number->value) * unit);
}

archive::PruneLimits limits_of(const CacheOptions& options) {
    archive::PruneLimits limits;
    if (!options.max_age.empty())
        limits.age = age_of(options.max_age);
    if (!options.max_size.empty()) {
        limits.size = parse_bytes(options.max_size);
        if (!limits.size)
            throw error(ErrorKind::usage, "cannot use {} as --max-size: it is not a size such as 5G",
                        quote(options.max_size));
    }
    if (!limits.size && !limits.age)
        limits.size = archive::Cache::default_bound();
    return limits;
}

void prune(const archive::Cache& cache, const archive::PruneLimits& limits, const Session& session) {
    const auto pruned = archive::prune(cache, limits);
    const auto freed = total_of(pruned.removed), left = total_of(pruned.kept);
    if (session.output == OutputMode::json)
        return print_json({{"removed", pruned.removed.size()},
                           {"freed", freed.value},
                           {"kept", pruned.kept.size()},
                           {"size", left.value},
                           {"in_use", pruned.in_use}});
    if (session.output == OutputMode::quiet)
        return;
    fmt::print("removed {}: {}; {} left\n", counts_of(pruned.removed), human(freed), human(left));
    if (pruned.in_use > 0)
        fmt::print("kept {} more that a running build uses\n", pruned.in_use);
}

void verify(const archive::Cache& cache, Session& session) {
    const auto damaged = archive::remove_damaged(cache, [](const std::filesystem::path& layer) {
        return pipeline::BaseImages::is_base(layer) ? pipeline::BaseImages::is_intact(layer)
                                                    : pipeline::Layers::is_intact(layer);
    });
    if (session.output == OutputMode::json) {
        auto all = nlohmann::ordered_json::array();
        for (const auto& entry : damaged)
            all.push_back({{"kind", archive::name(entry.kind)}, {"path", entry.path.native()}});
        print_json(all);
    } else if (session.output != OutputMode::quiet) {
        for (const auto& entry : damaged)
            fmt::print("damaged, removed: {} {}\n", archive::name(entry.kind), entry.path.native());
        if (damaged.empty())
            fmt::print("{}: everything is intact\n", cache.directory().native());
    }
    if (!damaged.empty())
        session.exit_status = kDamagedStatus;
}

}  // namespace

void add_cache(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("cache", "List, prune or verify what was downloaded");
    auto options = std::make_shared<CacheOptions>();
    verb->add_option("ACTION", options->action, "list, prune or verify")
        ->required()
        ->check(CLI::IsMember({"list", "prune", "verify"}));
    verb->add_option("--cache-dir", options->cache, "Where downloads are kept")->type_name("DIR");
    verb->add_option("--max-size", options->max_size, "prune: what may be left in all (10G)")->type_name("SIZE");
    verb->add_option("--max-age", options->max_age, "prune: what was not used for so long goes (30d)")
        ->type_name("AGE");
    verb->callback([options, &session] {
        if (options->action != "prune" && (!options->max_size.empty() || !options->max_age.empty()))
            throw error(ErrorKind::usage, "cannot {} the cache with limits: they are for prune", options->action);
        const auto limits = limits_of(*options);
        const archive::Cache cache(options->cache.empty() ? archive::Cache::default_directory()
                                                          : std::filesystem::path(options->cache));
        if (options->action == "list")
            list(cache, session);
        else if (options->action == "prune")
            prune(cache, limits, session);
        else
            verify(cache, session);
    });
}

}  // namespace vprov::cli
