#include "cli/top_table.h"

#include <gtest/gtest.h>

namespace vprov::cli {
namespace {

using namespace std::chrono_literals;
using hypervisor::Usage;
using hypervisor::UsageSample;

TEST(TopTable, RatesAreShort) {
    EXPECT_EQ(short_rate({}), "-");
    EXPECT_EQ(short_rate(0.0), "0");
    EXPECT_EQ(short_rate(999.0), "999");
    EXPECT_EQ(short_rate(1000.0), "0.98K");
    EXPECT_EQ(short_rate(12.3 * 1024), "12.3K");
    EXPECT_EQ(short_rate(100.0 * 1024), "100K");
    EXPECT_EQ(short_rate(4.56 * 1024 * 1024), "4.56M");
    EXPECT_LE(short_rate(999.4 * 1024 * 1024).size(), 5U);
}

UsageSample sample(std::chrono::seconds at, double cpu, std::uint64_t read, unsigned id = 1) {
    Usage usage;
    usage.domain = {"a", id, 512, 2, "r-----", cpu, "TCG", true};
    usage.disks = Usage::Disks{read, 10};
    return {std::chrono::steady_clock::time_point(at), {usage}};
}

TEST(TopTable, RatesAreOfTheTimeBetween) {
    const auto rates = rates_between(sample(10s, 1.0, 100), sample(12s, 2.5, 2148));
    ASSERT_EQ(rates.size(), 1U);
    EXPECT_EQ(rates[0].cpu_percent, 75.0);
    EXPECT_EQ(rates[0].read, 1024.0);
    EXPECT_EQ(rates[0].written, 0.0);
    EXPECT_FALSE(rates[0].received);
    EXPECT_EQ(top_line(rates[0]),
              "a                       1 r-----   75.0       2.5    512      0     2      -      -  1.00K      0");
}

TEST(TopTable, ADomainThatHasBegunAnewHasNoRates) {
    const auto rates = rates_between(sample(10s, 1.0, 100), sample(12s, 0.5, 50, 2));
    EXPECT_FALSE(rates[0].cpu_percent);
    EXPECT_FALSE(rates[0].read);
    EXPECT_FALSE(rates_between(sample(10s, 1.0, 100), sample(12s, 1.5, 50))[0].read);  // its counter began anew
}

TEST(TopTable, OrderAndSummary) {
    auto rates = rates_between({}, sample(1s, 0, 0));
    rates.push_back(rates[0]);
    rates[0].now.domain.name = "b";
    rates[1].cpu_percent = 50;
    rates[1].now.domain.state = "--p---";
    sort_for_top(rates, TopOrder::cpu);
    EXPECT_EQ(rates[0].now.domain.name, "a");
    rates[0].now.resident_bytes = 1;
    rates[1].now.resident_bytes = 2;
    sort_for_top(rates, TopOrder::memory);
    EXPECT_EQ(rates[0].now.domain.name, "b");
    sort_for_top(rates, TopOrder::name);
    EXPECT_EQ(rates[0].now.domain.name, "a");
    EXPECT_EQ(top_summary(rates),
              "2 domains: 1 running, 0 blocked, 1 paused, 0 crashed; 1024 MiB and 4 virtual processors");
}

}  // namespace
}  // namespace vprov::cli
