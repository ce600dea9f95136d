// The three ways in which a guest's network is written down. Pure.
#pragma once

#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

GuestFile ifupdown_file(const plan::Plan& plan);                // /etc/network/interfaces, interfaces(5)
std::vector<GuestFile> networkd_files(const plan::Plan& plan);  // systemd.network(5), and links that enable the service
GuestFile netplan_file(const plan::Plan& plan);                 // netplan(5); its generator enables systemd-networkd

}  // namespace vprov::render
