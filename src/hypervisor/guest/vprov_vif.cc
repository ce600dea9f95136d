#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/device_spec.h"

namespace vprov::hypervisor {
namespace {

constexpr std::string_view kDigits = "0123456789";

// 1 to 65535; 0 for what is not that.
unsigned port_of(std::string_view text) {
    constexpr std::size_t kMostDigits = 5;
    constexpr unsigned kLast = 65535;
    unsigned port = 0;
    if (text.size() > kMostDigits || text.find_first_not_of(kDigits) != std::string_view::npos)
        return 0;
    for (const char c : text) port = 10 * port + static_cast<unsigned>(c - '0');
    return port <= kLast ? port : 0;
}

bool is_ipv4(std::string_view text) {
    const auto parts = split(text, '.');
    return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return !part.empty() && part.size() <= 3 && part.find_first_not_of(kDigits) == std::string_view::npos &&
                      (part == "0" || (part.front() != '0' && port_of(part) <= 255));
           });
}

}  // namespace

PortForward parse_port_forward(std::string_view spec) {
    PortForward forward;
    auto parts = split(spec, ':');
    if (parts.front() == "tcp" || parts.front() == "udp") {
        forward.is_udp = parts.front() == "udp";
        parts.erase(parts.begin());
    }
    if (parts.size() == 3) {
        forward.address = parts.front();
        parts.erase(parts.begin());
    }
    if (parts.size() == 2) {
        forward.port = port_of(parts[0]);
        forward.guest_port = port_of(parts[1]);
    }
    if (forward.port == 0 || forward.guest_port == 0 || !is_ipv4(forward.address))
        throw error(ErrorKind::hypervisor, "{} is not a forward, such as '2222:22' or 'udp:0.0.0.0:5353:53'",
                    quote(spec));
    return forward;
}

std::string write_port_forward(const PortForward& forward) {
    return fmt::format("{}:{}:{}:{}", forward.is_udp ? "udp" : "tcp", forward.address, forward.port,
                       forward.guest_port);
}

bool is_valid_segment_name(std::string_view name) {
    constexpr std::size_t kMost = 32;
    return !name.empty() && name.size() <= kMost && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

void parse_vprov_vif(std::string_view spec, GuestInterface& vif) {
    const auto fail = [&](const std::string& cause) {
        throw error(ErrorKind::hypervisor, "cannot read the vprov_vif {}: {}", quote(spec), cause);
    };
    for (const auto& [key, value] : split_pairs(spec)) {
        if (key == "forward") {
            try {
                vif.forwards.push_back(parse_port_forward(value));
            } catch (const Error& e) {
                fail(e.message());
            }
        } else if (key == "segment") {
            if (!is_valid_segment_name(value))
                fail(fmt::format("{} is not the name of a segment (letters, digits, '_' and '-')", quote(value)));
            vif.segment = value;
        } else {
            fail(fmt::format("{} is neither forward nor segment", quote(key)));
        }
    }
    if (!vif.segment.empty() && !vif.forwards.empty())
        fail("an interface has either forwards or a segment");
}

std::string write_vprov_vif(const GuestInterface& vif) {
    std::vector<std::string> words;
    for (const auto& forward : vif.forwards) words.push_back("forward=" + write_port_forward(forward));
    if (!vif.segment.empty())
        words.push_back("segment=" + vif.segment);
    return joined(words, ",");
}

}  // namespace vprov::hypervisor
