// Which ids of the host stand for which ids in a user namespace. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::os {

// Ids `inside` to `inside + count - 1` of the namespace are `outside` and on in the one around it (user_namespaces(7)).
struct IdRange {
    std::uint32_t inside = 0, outside = 0, count = 0;
    bool operator==(const IdRange&) const = default;
};
using IdMap = std::vector<IdRange>;

inline constexpr std::uint32_t kAllIds = 65536;    // what Debian hands out: 0 to 65534 (Policy 9.2.2), and one more
inline constexpr std::uint32_t kFewestIds = 1000;  // below it there is no room for the accounts that packages make

// The lines of /proc/PID/uid_map. Lines that do not read as numbers are passed over.
IdMap parse_id_map(std::string_view text);

// "0 1000 1\n1 100000 65535\n": for /proc/PID/uid_map.
std::string id_map_text(const IdMap& map);

// How many ids a namespace with this map has, from 0 on without a gap; at most kAllIds are counted.
std::uint32_t ids_from_zero(const IdMap& map);

// The same ids in a namespace within this one: for a nested one.
IdMap identity_of(const IdMap& map);

// What subuid(5) or subgid(5) gives to a user, by name or by number, in the order of the file; `inside` is 0.
IdMap subordinate_ranges(std::string_view text, std::string_view user, std::uint32_t uid);

// 0 is `own`; 1 to 65535 are the subordinate ids in their order. With fewer than those the last one is 65534, which is
// nobody. Ranges that hold `own` lose it. With none it is a map of a single id.
IdMap map_with_subordinates(std::uint32_t own, const IdMap& subordinates);

}  // namespace vprov::os
