// The guest's network: names by MAC address, interfaces for ifupdown or systemd-networkd, hosts, resolv.conf. Pure.
#pragma once

#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// systemd.link(5) files: the first interface of the recipe is lan0 in the guest, the second lan1.
std::vector<GuestFile> link_files(const plan::Plan& plan);

// Configuration for the one of ifupdown and systemd-networkd that is there, and what enables the latter.
std::vector<GuestFile> network_files(const plan::Plan& plan, const PackageNames& packages);

// /etc/hosts as Debian's installer writes it: the static address, or else 127.0.1.1, has the host's name.
std::string hosts(const plan::Plan& plan);

// /etc/resolv.conf, and what keeps a DHCP client from replacing it when the recipe names the servers.
std::vector<GuestFile> resolver_files(const plan::Plan& plan, const PackageNames& packages);

}  // namespace vprov::render
