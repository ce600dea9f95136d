#include "hypervisor/devices/change.h"

#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::hypervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

json arguments_of(const QemuObject& object) {
    auto arguments = json::object();
    for (const auto& [name, value] : object) {
        auto* place = &arguments;
        std::size_t start = 0;
        for (auto dot = name.find('.'); dot != std::string::npos; start = dot + 1, dot = name.find('.', start))
            place = &(*place)[name.substr(start, dot - start)];
        std::visit([&](const auto& plain) { (*place)[name.substr(start)] = plain; }, value);
    }
    return arguments;
}

Error no_answer() {
    return error(ErrorKind::hypervisor,
                 "the guest does not let go of it: its system must be running and know ACPI hot-plug");
}

}  // namespace

Change::Change(const Domains& domains, std::string name, std::optional<Operation> own, Operation* operation)
    : domains_(domains),
      name_(std::move(name)),
      own_(std::move(own)),
      monitor_(domains.monitor(operation ? *operation : *own_)) {
    guest = domains.configuration(name_);
    paused_ = !monitor_.execute("query-status").value("running", false);
}

Change::Change(const Domains& domains, const std::string& name_or_id, std::string_view what)
    : Change(domains, domains.find(name_or_id).name, domains.operate(name_or_id, what), nullptr) {}

Change::Change(const Domains& domains, const std::string& name, Operation& operation)
    : Change(domains, name, std::nullopt, &operation) {}

// When an operation is dropped without a word, its domain is made to run as before: later, and over a pause that has
// come in between.
Change::~Change() {
    if (!own_)
        return;
    try {
        own_->done();
    } catch (const Error&) {
        // the supervisor has ended; the next one finds out what is
    }
}

void Change::record() {
    domains_.record_change(name_, guest);
}

void Change::make(std::string_view command, const QemuObject& object) {
    monitor_.execute(command, arguments_of(object));
}

json Change::pci_devices() {
    return monitor_.execute("query-pci").at(0).at("devices");
}

void Change::pin_devices() {
    std::map<std::string, unsigned> slots;
    for (const auto& device : pci_devices()) slots[device.value("qdev_id", "")] = device.value("slot", 0U);
    for (auto& disk : guest.disks)
        if (const auto found = slots.find(disk.vdev); found != slots.end())
            disk.pci_slot = found->second;
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) {
        const auto devid = interface_devid(guest, i);
        auto& interface = guest.interfaces[i];
        interface.mac = interface_mac(guest, i);
        interface.other["devid"] = std::to_string(devid);
        if (const auto found = slots.find(fmt::format("vif{}", devid)); found != slots.end())
            interface.pci_slot = found->second;
    }
}

unsigned Change::free_slot() {
    constexpr unsigned kLast = 31;
    std::set<unsigned> taken;
    for (const auto& device : pci_devices()) taken.insert(device.value("slot", 0U));
    for (unsigned slot = kLast; slot > 1; --slot)
        if (!taken.contains(slot))
            return slot;
    throw error(ErrorKind::hypervisor, "all {} places of its PCI bus are taken", kLast);
}

void Change::unplug(const std::string& device) {
    constexpr auto kMost = 10s;
    const auto deadline = std::chrono::steady_clock::now() + kMost;
    try {
        monitor_.execute("device_del", {{"id", device}});
    } catch (const Error& e) {
        if (e.message() == fmt::format("Device '{}' not found", device))
            return;
        // a processor, when no system has set up ACPI
        if (e.message().find("unplug request for not supported device type") != std::string::npos)
            throw no_answer();
        // it was asked before, and the guest has not answered
        if (e.message().find("already in the process of unplug") == std::string::npos)
            throw;
    }
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto event = monitor_.wait_for({"DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR", "ACPI_DEVICE_OST"},
                                             std::max(left, std::chrono::milliseconds(0)));
        if (!event)
            throw no_answer();
        if (event->name == "DEVICE_DELETED" && event->data.value("device", "") == device)
            return;
        constexpr int kRefused = 1;  // ACPI, _OST: 0 is success, 0x80 and up on its way
        const auto& info = event->data.value("info", json::object());
        const auto status = info.value("status", 0);
        if ((event->name == "DEVICE_UNPLUG_GUEST_ERROR" && event->data.value("device", "") == device) ||
            (event->name == "ACPI_DEVICE_OST" && info.value("device", "") == device && info.value("source", 0) == 3 &&
             (status == kRefused || status == 0x80 || status == 0x81)))
            throw error(ErrorKind::hypervisor, "the guest refuses: it uses it");
    }
}

}  // namespace vprov::hypervisor
