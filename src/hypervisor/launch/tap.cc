#include "hypervisor/launch/tap.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

constexpr const char* kDefaultBridge = "xenbr0";

ifreq request_for(std::string_view interface) {
    ifreq request{};
    interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
    return request;
}

Error refused(std::string_view step) {
    return system_error(ErrorKind::hypervisor, errno, step);
}

void start(const os::Fd& control, std::string_view name, std::string_view what) {
    ifreq request = request_for(name);
    if (::ioctl(control.get(), SIOCGIFFLAGS, &request) != 0)
        throw refused(fmt::format("reading the {}'s state", what));
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0)
        throw refused(fmt::format("starting the {}", what));
}

}  // namespace

os::Fd make_tap(const std::string& name, const std::string& bridge) {
    os::Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tap.is_open())
        throw refused("/dev/net/tun");
    ifreq request = request_for(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (::ioctl(tap.get(), TUNSETIFF, &request) != 0)
        throw refused("making a tap");
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq joining = request_for(bridge);
    joining.ifr_ifindex = static_cast<int>(::if_nametoindex(request.ifr_name));
    if (::ioctl(control.get(), SIOCBRADDIF, &joining) != 0)
        throw refused("adding the tap to the bridge");
    start(control, name, "tap");
    return tap;
}

void make_bridge(const std::string& name) {
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::ioctl(control.get(), SIOCBRADDBR, name.c_str()) != 0)
        throw refused("making a bridge");
    start(control, name, "bridge");
}

// Asked of the driver and not of /sys, which may show another network namespace than this process lives in.
bool bridge_exists(std::string_view bridge) {
    ifreq request = request_for(bridge);
    if (bridge.size() >= sizeof request.ifr_name)
        return false;
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    request.ifr_data = reinterpret_cast<char*>(&driver);
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::ioctl(control.get(), SIOCETHTOOL, &request) == 0 && std::string_view(driver.driver) == "bridge";
}

HostInterface connect_interface(const GuestInterface& vif, const std::string& name) {
    const std::string bridge = vif.bridge.empty() ? kDefaultBridge : vif.bridge;
    if (!vif.forwards.empty())
        return {};
    if (!bridge_exists(bridge)) {
        if (vif.bridge.empty())
            return {};
        return {{},
                fmt::format("bridge {0} does not exist: using user-mode networking (see ip link add {1} type bridge)",
                            quote(bridge), shell_quote(bridge))};
    }
    try {
        return {make_tap(name, bridge), ""};
    } catch (const Error& e) {
        return {
            {},
            fmt::format("cannot connect to the bridge {}: {}; using user-mode networking", quote(bridge), e.message())};
    }
}

}  // namespace vprov::hypervisor
