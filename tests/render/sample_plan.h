// A plan as it comes out for a small recipe, for the tests of this folder to change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config-render/guest_files.h"
#include "plan/plan.h"

namespace vprov::render {

inline plan::Plan sample_plan() {
    plan::Plan plan;
    plan.name = plan.hostname = "debian1";
    plan.fqdn = "debian1.example.org";
    plan.recipe.name = "debian1";
    plan.recipe.identity.domain = "example.org";
    plan.interfaces = {{"aa:00:00:12:23:34", "bridge0", {"dhcp"}, {}, {}}};
    plan.machine_id = "0123456789abcdef0123456789abcdef";
    plan.repositories = {{"http://mirror.example.org/debian",
                          "bookworm",
                          {"main"},
                          "/usr/share/keyrings/debian-archive-keyring.gpg",
                          false,
                          true}};
    return plan;
}

inline plan::Interface static_interface(std::string name = "lan0") {
    return {"00:16:3e:00:00:01",
            "",
            {"192.0.2.10/24", "192.0.2.11/24", "2001:db8::10/64"},
            {"192.0.2.1"},
            {"192.0.2.53", "2001:db8::53"},
            std::move(name)};
}

// On lan0, with the first interface's MAC.
inline plan::Interface vlan_interface() {
    plan::Interface vlan{"aa:00:00:12:23:34", "", {"198.51.100.5/24", "2001:db8:a::5/64"},
                         {"2001:db8:a::1"},   {}, "lan0.10"};
    vlan.vlan = 10;
    vlan.parent = "lan0";
    return vlan;
}

// The file at `path`; one with the content "(not there)" if there is none.
inline GuestFile file_at(const std::vector<GuestFile>& files, std::string_view path) {
    for (const auto& file : files)
        if (file.path == path)
            return file;
    return {std::string(path), "(not there)"};
}

}  // namespace vprov::render
