// The files that make a tree this guest: fstab, hosts, network, accounts, apt sources. Templates are compiled in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::render {

struct GuestFile {
    std::string path;     // absolute, in the guest
    std::string content;  // or a link's target
    unsigned mode = 0644;
    bool is_link = false;
    bool secret = false;                // `vprov plan` does not print its content
    unsigned directory_mode = 0755;     // of the directory that holds it, set when it is not 0755
    std::filesystem::path source = {};  // a file of the host that is copied instead of `content`; "" : none
    bool is_program = false;            // `vprov plan` tells its size
    bool operator==(const GuestFile&) const = default;
};

using PackageNames = std::set<std::string, std::less<>>;

// What the tree will have of the packages that these files depend on (ifupdown, systemd, apt, DHCP clients), judged by
// variant, include and exclude alone. Once the package set is resolved, its own names are the better answer.
PackageNames expected_packages(const plan::Plan& plan);

// Written when the packages are unpacked and before they are configured, so that their scripts do their work once,
// with the right answers: locale.gen, timezone, keyboard. What differs between guests that are otherwise alike is not
// among them. Pure.
std::vector<GuestFile> early_guest_files(const plan::Plan& plan);

// Written when all scripts have run: host name, fstab, hosts, network, resolv.conf, apt sources, root's keys,
// machine-id, and what a template does at its first boot. Pure.
std::vector<GuestFile> late_guest_files(const plan::Plan& plan, const PackageNames& packages);
std::vector<GuestFile> late_guest_files(const plan::Plan& plan);  // with expected_packages(plan)

// The directories on which the other disks are mounted, root's and 0755 where they are new. Throws Error(disk).
void make_mount_points(const os::RootDir& root, const partition::DiskLayout& layout);

// Replaces what is there. Parents are made, root's and 0755. Throws Error(disk).
void write_guest_files(const os::RootDir& root, const std::vector<GuestFile>& files);

}  // namespace vprov::render
