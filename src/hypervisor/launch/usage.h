// What running domains use of the host, and how fast.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// Counted since the domain's QEMU began. What cannot be had at the moment is nullopt: disks while another command has
// the monitor, the network of a domain with user-mode networking only.
struct Usage {
    DomainInfo domain;
    struct Disks {
        std::uint64_t read_bytes = 0, written_bytes = 0;
    };
    struct Network {
        std::uint64_t received_bytes = 0, sent_bytes = 0;  // by the guest
    };
    std::optional<Disks> disks;
    std::optional<Network> network;
    std::uint64_t resident_bytes = 0;  // of its QEMU, in the host's memory
};

struct UsageSample {
    std::chrono::steady_clock::time_point time;
    std::vector<Usage> domains;  // by id
};
UsageSample sample_usage(const Domains& domains);

// Between two samples; nullopt where one of them has not got it, or a domain has begun between them.
struct Rates {
    Usage now;
    std::optional<double> cpu_percent;                    // of one processor
    std::optional<double> read, written, received, sent;  // bytes a second
};
std::vector<Rates> rates_between(const UsageSample& before, const UsageSample& after);  // pure

}  // namespace vprov::hypervisor
