// A change to the devices or sizes of a running domain. Talks to its QEMU and its supervisor.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hypervisor/guest/qemu_object.h"
#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// Nobody else changes, saves or moves the domain while one of these lives. What it did to QEMU lasts, and a restart
// gives the guest the same, once record() has returned.
class Change {
  public:
    // `what`: "block-attach", what others are told. Throws Error(hypervisor) when the domain does not run or somebody
    // else is at it.
    Change(const Domains& domains, const std::string& name_or_id, std::string_view what);
    // As a part of an operation, borrowed, on the domain `name`.
    Change(const Domains& domains, const std::string& name, Operation& operation);

    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    Guest guest;  // as it is configured now; to be edited
    const std::string& name() const { return name_; }
    bool is_paused() const { return paused_; }
    const Domains& domains() const { return domains_; }
    Monitor& monitor() { return monitor_; }
    void record();

    // device_add, blockdev-add and the like.
    void make(std::string_view command, const QemuObject& object);

    // Notes in `guest` where each of its devices is plugged in, and under which number and address. Then the guest has
    // them in the same places after others have gone, and a saved state fits.
    void pin_devices();
    // The free PCI slot with the highest number, for QEMU itself takes the lowest. Throws when all are taken.
    unsigned free_slot();

    // device_del, and the wait until the guest has let go of it. Not there any more is fine. Throws Error(hypervisor)
    // with what the guest would have to do.
    void unplug(const std::string& device);

  private:
    Change(const Domains& domains, std::string name, std::optional<Operation> own, Operation* operation);
    nlohmann::json pci_devices();

    const Domains& domains_;
    std::string name_;
    bool paused_ = false;
    std::optional<Operation> own_;
    Monitor monitor_;
};

}  // namespace vprov::hypervisor
