#include "hypervisor/devices/interfaces.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/devices/change.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/interface_limits.h"

namespace vprov::hypervisor {
namespace {

std::string lowercase(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
    return out;
}

// The last of change.guest.interfaces, in QEMU. Returns what there is to warn of.
std::vector<std::string> plug_in(Change& change) {
    auto& interface = change.guest.interfaces.back();
    const auto index = change.guest.interfaces.size() - 1;
    const auto devid = interface_devid(change.guest, index);
    interface.pci_slot = change.free_slot();
    const auto id = change.domains().find(change.name()).id;
    auto port = connect_limited(id, change.guest, index, change.domains().state().limits());
    auto devices = qemu_interfaces(change.guest, {}).back();
    auto& monitor = change.monitor();
    const auto net = fmt::format("net{}", devid);
    if (port.tap.is_open()) {
        monitor.execute_with(port.tap, "getfd", {{"fdname", net}});
        devices.backend = {{"type", "tap"}, {"id", net}, {"fd", net}};
    }
    change.make("netdev_add", devices.backend);
    std::erase_if(devices.device, [](const auto& property) { return property.first == "bootindex"; });
    try {
        change.make("device_add", devices.device);
    } catch (const Error&) {
        monitor.execute("netdev_del", {{"id", net}});
        throw;
    }
    return std::move(port.warnings);
}

void choose_devid(Guest& guest, GuestInterface& interface) {
    std::set<unsigned> taken;
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) taken.insert(interface_devid(guest, i));
    unsigned devid = 0;
    while (taken.contains(devid)) ++devid;
    if (const auto wanted = interface.other.find("devid"); wanted == interface.other.end())
        interface.other["devid"] = std::to_string(devid);
    guest.interfaces.push_back(interface);
    const auto chosen = interface_devid(guest, guest.interfaces.size() - 1);
    if (taken.contains(chosen))
        throw error(ErrorKind::hypervisor, "it has one with the number {}", chosen);
}

std::vector<std::string> attach(Change& change, GuestInterface interface) {
    std::vector<std::string> warnings;
    try {
        change.pin_devices();
        for (const auto& other : change.guest.interfaces)
            if (!interface.mac.empty() && lowercase(other.mac) == lowercase(interface.mac))
                throw error(ErrorKind::hypervisor, "it has one with the address {}", interface.mac);
        choose_devid(change.guest, interface);
        auto& added = change.guest.interfaces.back();
        // of its number and not of its place, which changes when one before it goes
        if (added.mac.empty()) {
            Guest counted = change.guest;
            const auto devid = interface_devid(counted, counted.interfaces.size() - 1);
            counted.interfaces.assign(devid + 1, {});
            added.mac = interface_mac(counted, devid);
        }
        warnings = plug_in(change);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(ErrorKind::hypervisor, "cannot attach a network card to {}: {}", quote(change.name()), e.message());
    }
    change.record();
    return warnings;
}

void detach(Change& change, std::string_view devid_or_mac) {
    change.pin_devices();
    auto& interfaces = change.guest.interfaces;
    std::size_t i = 0;
    while (i < interfaces.size() && interfaces[i].other["devid"] != devid_or_mac &&
           lowercase(interfaces[i].mac) != lowercase(devid_or_mac))
        ++i;
    try {
        if (i == interfaces.size())
            throw error(ErrorKind::hypervisor, "it has no such card (see vprov network-list {})", change.name());
        const auto devid = interface_devid(change.guest, i);
        change.unplug(fmt::format("vif{}", devid));
        change.monitor().execute("netdev_del", {{"id", fmt::format("net{}", devid)}});
        remove_stale_limits(change.domains().state().limits());
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(ErrorKind::hypervisor, "cannot detach the network card {} from {}: {}", quote(devid_or_mac),
                    quote(change.name()), e.message());
    }
    interfaces.erase(interfaces.begin() + static_cast<std::ptrdiff_t>(i));
    change.record();
}

}  // namespace

std::vector<std::string> attach_interface(const Domains& domains, const std::string& name, GuestInterface interface) {
    Change change(domains, name, "network-attach");
    return attach(change, std::move(interface));
}

std::vector<std::string> attach_interface(const Domains& domains, const std::string& name, GuestInterface interface,
                                          Operation& operation) {
    Change change(domains, name, operation);
    return attach(change, std::move(interface));
}

void detach_interface(const Domains& domains, const std::string& name, std::string_view devid_or_mac) {
    Change change(domains, name, "network-detach");
    detach(change, devid_or_mac);
}

void detach_interface(const Domains& domains, const std::string& name, std::string_view devid_or_mac,
                      Operation& operation) {
    Change change(domains, name, operation);
    detach(change, devid_or_mac);
}

}  // namespace vprov::hypervisor
