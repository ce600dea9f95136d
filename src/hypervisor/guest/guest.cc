#include "hypervisor/guest/guest.h"

#include <algorithm>

namespace vprov::hypervisor {

bool is_valid_guest_name(std::string_view name) {
    constexpr std::size_t kLongest = 63;
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= kLongest && is_alphanumeric(name[0]) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '+' || c == '-'; });
}

Guest without_secrets(Guest guest) {
    guest.vncpasswd.reset();
    guest.other.erase("spicepasswd");
    return guest;
}

}  // namespace vprov::hypervisor
