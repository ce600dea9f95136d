#include "pipeline/built_guest.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

Bytes allocated(const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? Bytes{static_cast<std::uint64_t>(status.st_blocks) * 512} : Bytes{};
}

void read_configuration(BuiltGuest& guest) {
    guest.configuration = guest.directory / (guest.name + ".cfg");
    if (!fs::exists(guest.configuration))
        return;
    const auto read = hypervisor::read_xl_cfg(os::read_file(guest.configuration), guest.configuration.native());
    guest.memory_mib = read.guest.memory_mib;
    guest.vcpus = read.guest.vcpus;
}

void read_disk(const nlohmann::json& disk, BuiltGuest& guest) {
    if (!disk.contains("image")) {  // a device of the host's: ours only where a build has made it
        if (disk.value("made", false))
            guest.volumes.push_back(disk.at("device"));
        return;
    }
    guest.disks.push_back({disk.at("image"), disk.value("format", "raw"), disk.value("filesystem", ""),
                           disk.value("mount", ""), disk.value("uuid", ""), disk.value("backing", ""),
                           Bytes{disk.at("size").get<std::uint64_t>()},
                           allocated(guest.directory / disk.at("image").get<std::string>())});
}

BuiltGuest read_guest(const fs::path& directory) {
    const auto manifest = nlohmann::json::parse(os::read_file(directory / "manifest.json"));
    BuiltGuest guest;
    guest.directory = directory;
    guest.name = manifest.at("name");
    for (const auto& disk : manifest.value("disks", nlohmann::json::array())) read_disk(disk, guest);
    for (const auto& interface : manifest.value("network", nlohmann::json::array())) {
        guest.macs.push_back(interface.value("mac", ""));
        for (const auto& address : interface.value("address", std::vector<std::string>{}))
            guest.addresses.push_back(address);
    }
    guest.files = manifest.value("files", std::vector<std::string>{});
    read_configuration(guest);
    return guest;
}

}  // namespace

std::vector<BuiltGuest> built_guests(const fs::path& output) {
    std::vector<BuiltGuest> guests;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(output, none)) {
        if (entry.path().filename().native().starts_with('.') || !fs::exists(entry.path() / "manifest.json", none))
            continue;
        try {
            guests.push_back(read_guest(entry.path()));
        } catch (const nlohmann::json::exception&) {
            continue;
        } catch (const Error&) {
            continue;
        }
    }
    std::ranges::sort(guests, {}, &BuiltGuest::name);
    return guests;
}

BuiltGuest built_guest(const fs::path& output, const std::string& name) {
    const auto directory = output / name;
    const bool is_name = !name.empty() && name.find('/') == std::string::npos && !name.starts_with('.');
    if (!is_name || !fs::exists(directory / "manifest.json"))
        throw error(ErrorKind::disk, "cannot find guest {} in {}", quote(name), quote(output.native()));
    try {
        auto guest = read_guest(directory);
        if (guest.name == name)
            return guest;
        throw error(ErrorKind::disk, "cannot use {}: its manifest is of guest {}", quote(directory.native()),
                    quote(guest.name));
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::disk, "cannot read {}: {}", quote((directory / "manifest.json").native()), e.what());
    }
}

}  // namespace vprov::pipeline
