// The guest's network: names by MAC address, interfaces for ifupdown, systemd-networkd or netplan, hosts, resolv.conf.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// What the recipe asks for; else netplan where it is installed, else ifupdown, else systemd-networkd; `none` where
// there is none of them. Never `automatic`.
recipe::NetworkRenderer renderer_of(const plan::Plan& plan, const PackageNames& packages);

// systemd.link(5) files: the interfaces of the recipe have their names in the guest. VLANs have none.
std::vector<GuestFile> link_files(const plan::Plan& plan);

// Configuration for renderer_of(), and what enables it.
std::vector<GuestFile> network_files(const plan::Plan& plan, const PackageNames& packages);

// /etc/hosts as Debian's installer writes it: the static address, or else 127.0.1.1, has the host's name. A template
// without a name of its own has neither.
std::string hosts(const plan::Plan& plan);

// /etc/resolv.conf, and what keeps a DHCP client from replacing it when the recipe names the servers.
std::vector<GuestFile> resolver_files(const plan::Plan& plan, const PackageNames& packages);

}  // namespace vprov::render
