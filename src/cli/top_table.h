// The lines of `vprov top`. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hypervisor/launch/usage.h"

namespace vprov::cli {

enum class TopOrder { cpu, memory, name, disk, network };

void sort_for_top(std::vector<hypervisor::Rates>& rates, TopOrder order);

std::string top_header();
std::string top_line(const hypervisor::Rates& rates);  // as wide as the header, and more only for long names
std::string top_summary(const std::vector<hypervisor::Rates>& rates);  // "3 domains: 2 running, 1 paused; ..."

// "-", "0", "812", "12.3K", "4.56M": bytes a second in at most five characters, powers of 1024.
std::string short_rate(const std::optional<double>& bytes);

}  // namespace vprov::cli
