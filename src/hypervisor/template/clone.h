// Clones: guests that go on where a template stands, each with an identity of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/launch/domains.h"
#include "hypervisor/template/template_files.h"

namespace vprov::hypervisor {

struct CloneOptions {
    std::string executable;          // as CreateOptions'
    std::string hostname;            // "" : the domain's name
    std::string address, gateway;    // of the first card: "192.0.2.7/24"; "" : as the template's is configured
    bool waits_for_network = false;  // done when the first card has an address
};

struct CloneResult {
    CreatedDomain domain;
    std::filesystem::path configuration;
    std::string address;  // the first card's, when it was waited for
    double seconds = 0;   // until the guest's agent said that all is done
};

// What the template is, under another name: with a new uuid, and its cards with addresses of their own.
Guest guest_of_clone(const OpenedTemplate& from, const std::string& name);

// The guest, which may differ from guest_of_clone() in what the memory does not know of (on_crash, a card's bridge),
// gets a new directory with its configuration and disks, overlays of the template's, and runs. It has its names,
// addresses, keys, clock and random numbers when this returns. Nothing is left when it throws: Error(hypervisor)
// "cannot start 'NAME' from the template 'DIR': CAUSE", Error(disk), Error(interrupted).
CloneResult start_clone(const Domains& domains, const OpenedTemplate& from, Guest guest,
                        const std::filesystem::path& directory, const CloneOptions& options);

}  // namespace vprov::hypervisor
