// Something that QEMU makes, by its properties: what -device, -blockdev and -netdev say on a command line, and
// device_add, blockdev-add and netdev_add in the monitor. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vprov::hypervisor {

using QemuValue = std::variant<std::string, bool, std::int64_t>;

// In order. A name with dots is of an object within: "file.driver".
using QemuObject = std::vector<std::pair<std::string, QemuValue>>;

// "driver=raw,node-name=disk0,read-only=on", where the first property's value stands alone when its name is `implied`:
// "virtio-blk-pci,id=xvda".
std::string qemu_option(const QemuObject& object, std::string_view implied = "");

std::string option_value(std::string_view text);  // commas doubled, as QEMU's option syntax wants them

}  // namespace vprov::hypervisor
