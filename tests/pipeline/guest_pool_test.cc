#include "pipeline/guest_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "base/error.h"
#include "pipeline/output_directory.h"
#include "pipeline/output_fixture.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

using GuestPoolTest = OutputTest;

std::vector<std::string> given(const Reservation& reservation) {
    std::vector<std::string> lines;
    for (const auto& guest : reservation.guests)
        lines.push_back(fmt::format("{} {} {}", guest.name, guest.address.empty() ? "-" : guest.address.front(),
                                    guest.mac.value_or("-")));
    return lines;
}

using Lines = std::vector<std::string>;

TEST_F(GuestPoolTest, CountsUpAndPassesOverTheGateway) {
    EXPECT_EQ(given(reserve(recipe(3), output, PoolUse::take)),
              (Lines{"web1 192.0.2.10/29 02:00:00:00:00:fe", "web2 192.0.2.11/29 02:00:00:00:00:ff",
                     "web3 192.0.2.12/29 02:00:00:00:01:00"}));
}

TEST_F(GuestPoolTest, ServesIpv6) {
    auto asked = recipe(2, "2001:db8::ffff-2001:db8::1:9/64", "");
    EXPECT_EQ(given(reserve(asked, output, PoolUse::take)),
              (Lines{"web1 2001:db8::ffff/64 -", "web2 2001:db8::1:0/64 -"}));
}

TEST_F(GuestPoolTest, LookingWritesNothing) {
    reserve(recipe(2), output, PoolUse::look);
    EXPECT_FALSE(fs::exists(output));
}

TEST_F(GuestPoolTest, WhoHoldsAReservationKeepsIt) {
    const auto first = reserve(recipe(2), output, PoolUse::take);
    const auto second = reserve(recipe(2, "192.0.2.8/29", "02:00:00:00:00:fe", 5), output, PoolUse::take);
    EXPECT_EQ(given(second), (Lines{"web5 192.0.2.12/29 02:00:00:00:01:00", "web6 192.0.2.13/29 02:00:00:00:01:01"}));
}

TEST_F(GuestPoolTest, TwoBuildsOfOneGuestHoldItsAddressTogether) {
    const auto first = reserve(recipe(1), output, PoolUse::take);
    reserve(recipe(1), output, PoolUse::take);  // and is done
    EXPECT_EQ(given(reserve(recipe(1, "192.0.2.8/29", "", 2), output, PoolUse::take)), (Lines{"web2 192.0.2.11/29 -"}));
    release(output, "web1");  // it is being built
    EXPECT_EQ(given(reserve(recipe(1, "192.0.2.8/29", "", 3), output, PoolUse::take)), (Lines{"web3 192.0.2.11/29 -"}));
}

TEST_F(GuestPoolTest, WhatNobodyHoldsIsFree) {
    reserve(recipe(2), output, PoolUse::take);
    EXPECT_EQ(files(), Lines{});
}

TEST_F(GuestPoolTest, GuestsKeepTheirAddresses) {
    {
        const auto reservation = reserve(recipe(2), output, PoolUse::take);
        add_guest("web2", "192.0.2.11/29", "02:00:00:00:00:ff");
    }
    EXPECT_EQ(given(reserve(recipe(1, "192.0.2.8/29", "02:00:00:00:00:fe", 2), output, PoolUse::take)),
              (Lines{"web2 192.0.2.11/29 02:00:00:00:00:ff"}));
    fs::remove(output / ".pool.json");  // their manifests know
    EXPECT_EQ(given(reserve(recipe(3), output, PoolUse::take)),
              (Lines{"web1 192.0.2.10/29 02:00:00:00:00:fe", "web2 192.0.2.11/29 02:00:00:00:00:ff",
                     "web3 192.0.2.12/29 02:00:00:00:01:00"}));
}

TEST_F(GuestPoolTest, GuestsOfNoPoolHaveTheirsToo) {
    add_guest("db", "192.0.2.10/24", "02:00:00:00:00:fe");
    EXPECT_EQ(given(reserve(recipe(1), output, PoolUse::take)), (Lines{"web1 192.0.2.11/29 02:00:00:00:00:ff"}));
}

TEST_F(GuestPoolTest, AnotherRangeGivesAnotherAddress) {
    {
        const auto reservation = reserve(recipe(1), output, PoolUse::take);
        add_guest("web1", "192.0.2.10/29", "02:00:00:00:00:fe");
    }
    EXPECT_EQ(given(reserve(recipe(1, "198.51.100.0/24", "06:00:00:00:00:01"), output, PoolUse::take)),
              (Lines{"web1 198.51.100.1/24 06:00:00:00:00:01"}));
}

TEST_F(GuestPoolTest, RunsOutWithAMessageAndNoTrace) {
    try {
        reserve(recipe(6), output, PoolUse::take);
        FAIL() << "there are five addresses";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "web.toml: cannot give 'web6' an address: all of '192.0.2.8/29' are taken");
        EXPECT_EQ(e.kind(), ErrorKind::recipe);
    }
    EXPECT_EQ(files(), Lines{});
}

TEST_F(GuestPoolTest, KilledHoldersAreForgotten) {
    const auto child = ::fork();
    if (child == 0) {
        const auto held = reserve(recipe(5), output, PoolUse::take);
        ::_exit(0);  // no destructor
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(reserve(recipe(1, "192.0.2.8/29", "", 9), output, PoolUse::look).guests[0].address[0], "192.0.2.10/29");
    tidy(output);
    EXPECT_EQ(files(), Lines{});
}

}  // namespace
}  // namespace vprov::pipeline
