#include "hypervisor/launch/port_forwards.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

unsigned first_unprivileged_port() {
    unsigned port = 1024;
    const auto text = os::read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    std::from_chars(text.data(), text.data() + text.size(), port);
    return port;
}

// 0, or the errno of listening there.
int refusal(const PortForward& forward) {
    const os::Fd socket(::socket(AF_INET, (forward.is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    const int yes = 1;  // as QEMU: connections that have just ended do not matter
    if (!forward.is_udp)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(forward.port));
    ::inet_pton(AF_INET, forward.address.c_str(), &address.sin_addr);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

void check_port_forwards(const Guest& guest, bool is_root) {
    for (const auto& vif : guest.interfaces) {
        for (const auto& forward : vif.forwards) {
            const auto fail = [&](const std::string& cause) {
                throw error(ErrorKind::hypervisor, "cannot start {}: its port {} of {} cannot be forwarded: {}",
                            quote(guest.name), forward.port, forward.address, cause);
            };
            if (const auto first = first_unprivileged_port(); !is_root && forward.port < first)
                fail(fmt::format("ports below {} are root's, and QEMU is not root", first));
            if (const int why = refusal(forward); why != 0)
                fail(std::generic_category().message(why));
        }
    }
}

}  // namespace vprov::hypervisor
