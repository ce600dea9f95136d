// The words for enumerations in xl.cfg(5). Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

template <class Value, std::size_t Count>
using Names = std::array<std::pair<std::string_view, Value>, Count>;

// In every table the first name of a value is the one that is written.
constexpr Names<GuestType, 3> kTypeNames = {{{"pv", GuestType::pv}, {"pvh", GuestType::pvh}, {"hvm", GuestType::hvm}}};
constexpr Names<LifecycleAction, 6> kActionNames = {{{"destroy", LifecycleAction::destroy},
                                                     {"restart", LifecycleAction::restart},
                                                     {"rename-restart", LifecycleAction::rename_restart},
                                                     {"preserve", LifecycleAction::preserve},
                                                     {"coredump-destroy", LifecycleAction::coredump_destroy},
                                                     {"coredump-restart", LifecycleAction::coredump_restart}}};
constexpr Names<DiskFormat, 9> kFormatNames = {{{"raw", DiskFormat::raw},
                                                {"qcow", DiskFormat::qcow},
                                                {"qcow2", DiskFormat::qcow2},
                                                {"vhd", DiskFormat::vhd},
                                                {"qed", DiskFormat::qed},
                                                {"empty", DiskFormat::empty},
                                                {"vmdk", DiskFormat::vmdk},
                                                {"vdi", DiskFormat::vdi},
                                                {"vhdx", DiskFormat::vhdx}}};
constexpr Names<DiskBackend, 3> kBackendNames = {
    {{"phy", DiskBackend::phy}, {"tap", DiskBackend::tap}, {"qdisk", DiskBackend::qdisk}}};
constexpr Names<VifType, 2> kVifTypeNames = {{{"vif", VifType::vif}, {"ioemu", VifType::ioemu}}};
constexpr Names<Firmware, 7> kFirmwareNames = {{{"bios", Firmware::bios},
                                                {"seabios", Firmware::seabios},
                                                {"rombios", Firmware::rombios},
                                                {"uefi", Firmware::uefi},
                                                {"ovmf", Firmware::uefi},
                                                {"pvgrub32", Firmware::pvgrub32},
                                                {"pvgrub64", Firmware::pvgrub64}}};
constexpr Names<Screen, 4> kScreenNames = {
    {{"none", Screen::none}, {"stdvga", Screen::standard}, {"cirrus", Screen::cirrus}, {"qxl", Screen::qxl}}};

// "" for a value without a word, such as `automatic`.
template <class Value, std::size_t Count>
constexpr std::string_view name_in(const Names<Value, Count>& names, Value value) {
    for (const auto& [name, named] : names)
        if (named == value)
            return name;
    return "";
}

template <class Value, std::size_t Count>
constexpr std::optional<Value> value_in(const Names<Value, Count>& names, std::string_view word) {
    for (const auto& [name, named] : names)
        if (name == word)
            return named;
    return std::nullopt;
}

}  // namespace vprov::hypervisor
