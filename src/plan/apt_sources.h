// Readers of apt's two kinds of sources files (sources.list(5)). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace vprov::plan {

// "deb [signed-by=...] URI SUITE COMPONENT..." lines. Everything else is passed over: deb-src, comments, lines that
// apt would refuse, and repositories without components.
std::vector<HostRepository> parse_one_line_sources(std::string_view text);

// Stanzas with Types, URIs, Suites and Components, one result for each URI and suite; "Enabled: no" and deb-src are
// passed over. Ends at the first line that is no stanza.
std::vector<HostRepository> parse_deb822_sources(std::string_view text);

}  // namespace vprov::plan
