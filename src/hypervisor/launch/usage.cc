#include "hypervisor/launch/usage.h"

#include <ifaddrs.h>
#include <linux/if_link.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

// The counters of every interface in this network namespace; of a tap they are the guest's, the other way round.
std::map<std::string, Usage::Network> interface_counters() {
    std::map<std::string, Usage::Network> counters;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0)
        return counters;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, ::freeifaddrs);
    for (const auto* entry = first; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_PACKET || !entry->ifa_data)
            continue;
        const auto* const stats = static_cast<const rtnl_link_stats*>(entry->ifa_data);
        counters[entry->ifa_name] = {stats->tx_bytes, stats->rx_bytes};
    }
    return counters;
}

std::optional<Usage::Network> network_of(const DomainInfo& domain,
                                         const std::map<std::string, Usage::Network>& counters) {
    std::optional<Usage::Network> sum;
    const auto prefix = fmt::format("vif{}.", domain.id);
    for (auto place = counters.lower_bound(prefix); place != counters.end() && place->first.starts_with(prefix);
         ++place) {
        sum = sum.value_or(Usage::Network{});
        sum->received_bytes += place->second.received_bytes;
        sum->sent_bytes += place->second.sent_bytes;
    }
    return sum;
}

std::optional<Usage::Disks> disks_of(const Domains& domains, const std::string& name) {
    constexpr std::chrono::milliseconds kPatience(20), kAnswer(1000);
    try {
        Monitor monitor(domains.state().domain(name), name, kPatience);
        Usage::Disks sum;
        for (const auto& disk : monitor.execute("query-blockstats", nlohmann::json::object(), kAnswer)) {
            const auto& stats = disk.at("stats");
            sum.read_bytes += stats.value("rd_bytes", std::uint64_t{0});
            sum.written_bytes += stats.value("wr_bytes", std::uint64_t{0});
        }
        return sum;
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        return std::nullopt;
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

std::uint64_t resident_bytes(pid_t pid) {
    try {
        const auto text = os::read_file(fmt::format("/proc/{}/statm", pid));  // proc(5): pages, the second one resident
        const auto words = split_words(text);
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        return words.size() < 2 ? 0 : std::stoull(std::string(words[1])) * page;
    } catch (const Error&) {
        return 0;  // it has ended meanwhile
    }
}

template <class Part>
std::optional<double> rate(const std::optional<Part>& before, const std::optional<Part>& after,
                           std::uint64_t Part::*counter, double seconds) {
    if (!before || !after || seconds <= 0 || (*after).*counter < (*before).*counter)
        return std::nullopt;
    return static_cast<double>((*after).*counter - (*before).*counter) / seconds;
}

// Of all at once: most of the time goes by with waiting for a QEMU to take notice.
std::vector<std::optional<Usage::Disks>> disks_of_all(const Domains& domains, const std::vector<DomainInfo>& running) {
    constexpr std::size_t kMostWorkers = 16;
    std::vector<std::optional<Usage::Disks>> disks(running.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (auto i = next++; i < running.size(); i = next++)
            if (running[i].supervised)
                disks[i] = disks_of(domains, running[i].name);
    };
    std::vector<std::future<void>> workers;
    for (std::size_t i = 0; i < std::min(running.size(), kMostWorkers); ++i)
        workers.push_back(std::async(std::launch::async, work));
    for (auto& worker : workers) worker.get();
    return disks;
}

}  // namespace

UsageSample sample_usage(const Domains& domains) {
    UsageSample sample;
    auto running = domains.list();
    sample.time = std::chrono::steady_clock::now();
    const auto counters = interface_counters();
    auto disks = disks_of_all(domains, running);
    for (std::size_t i = 0; i < running.size(); ++i) {
        auto& domain = running[i];
        Usage usage;
        usage.network = network_of(domain, counters);
        usage.disks = disks[i];
        if (const auto record = domains.state().read(domain.name))
            usage.resident_bytes = resident_bytes(record->qemu.pid);
        usage.domain = std::move(domain);
        sample.domains.push_back(std::move(usage));
    }
    return sample;
}

std::vector<Rates> rates_between(const UsageSample& before, const UsageSample& after) {
    const double seconds = std::chrono::duration<double>(after.time - before.time).count();
    std::vector<Rates> rates;
    for (const auto& now : after.domains) {
        Rates line{now, {}, {}, {}, {}, {}};
        const auto then = std::find_if(before.domains.begin(), before.domains.end(),
                                       [&](const Usage& usage) { return usage.domain.id == now.domain.id; });
        if (then != before.domains.end() && seconds > 0) {
            const double used = now.domain.cpu_seconds - then->domain.cpu_seconds;
            line.cpu_percent = std::max(0.0, used / seconds * 100);
            line.read = rate(then->disks, now.disks, &Usage::Disks::read_bytes, seconds);
            line.written = rate(then->disks, now.disks, &Usage::Disks::written_bytes, seconds);
            line.received = rate(then->network, now.network, &Usage::Network::received_bytes, seconds);
            line.sent = rate(then->network, now.network, &Usage::Network::sent_bytes, seconds);
        }
        rates.push_back(std::move(line));
    }
    return rates;
}

}  // namespace vprov::hypervisor
