#include "cli/top_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vprov::cli {
namespace {

using hypervisor::Rates;

constexpr double kMebibyte = 1 << 20;

double key_of(const Rates& rates, TopOrder order) {
    switch (order) {
        case TopOrder::cpu:
            return rates.cpu_percent.value_or(0);
        case TopOrder::memory:
            return static_cast<double>(rates.now.resident_bytes);
        case TopOrder::disk:
            return rates.read.value_or(0) + rates.written.value_or(0);
        case TopOrder::network:
            return rates.received.value_or(0) + rates.sent.value_or(0);
        case TopOrder::name:
            break;
    }
    return 0;
}

}  // namespace

void sort_for_top(std::vector<Rates>& rates, TopOrder order) {
    std::sort(rates.begin(), rates.end(), [&](const Rates& a, const Rates& b) {
        const auto left = key_of(a, order), right = key_of(b, order);
        return left != right ? left > right : a.now.domain.name < b.now.domain.name;
    });
}

std::string top_header() {
    return fmt::format("{:<20} {:>4} {:<6} {:>6} {:>9} {:>6} {:>6} {:>5} {:>6} {:>6} {:>6} {:>6}", "NAME", "ID",
                       "STATE", "CPU%", "CPU(s)", "MEM(M)", "RES(M)", "VCPUS", "RX/s", "TX/s", "READ/s", "WRIT/s");
}

std::string top_line(const Rates& rates) {
    const auto& domain = rates.now.domain;
    return fmt::format("{:<20} {:>4} {:<6} {:>6} {:>9.1f} {:>6} {:>6.0f} {:>5} {:>6} {:>6} {:>6} {:>6}", domain.name,
                       domain.id, domain.state, rates.cpu_percent ? fmt::format("{:.1f}", *rates.cpu_percent) : "-",
                       domain.cpu_seconds, domain.memory_mib, static_cast<double>(rates.now.resident_bytes) / kMebibyte,
                       domain.vcpus, short_rate(rates.received), short_rate(rates.sent), short_rate(rates.read),
                       short_rate(rates.written));
}

std::string top_summary(const std::vector<Rates>& rates) {
    const auto in_state = [&](std::size_t place) {
        return std::count_if(rates.begin(), rates.end(),
                             [&](const Rates& line) { return line.now.domain.state[place] != '-'; });
    };
    std::uint64_t memory = 0, vcpus = 0;
    for (const auto& line : rates) {
        memory += line.now.domain.memory_mib;
        vcpus += line.now.domain.vcpus;
    }
    return fmt::format("{} domain{}: {} running, {} blocked, {} paused, {} crashed; {} MiB and {} virtual processors",
                       rates.size(), rates.size() == 1 ? "" : "s", in_state(0), in_state(1), in_state(2), in_state(4),
                       memory, vcpus);
}

std::string short_rate(const std::optional<double>& bytes) {
    if (!bytes)
        return "-";
    constexpr std::array<const char*, 5> kUnits = {"", "K", "M", "G", "T"};
    double value = *bytes;
    std::size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
    const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f}{}", value, decimals, kUnits[unit]);
}

}  // namespace vprov::cli
