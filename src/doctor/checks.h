// What this host can do for building guests, and for running them: `vprov doctor`. read_host_state() looks at the host
// and tries a few things out in child processes; the rest is pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hypervisor/xen/dom0.h"
#include "os/command.h"
#include "os/user_namespace.h"

namespace vprov::doctor {

struct XenState {
    hypervisor::XenRole role = hypervisor::XenRole::none;
    bool in_boot = false;  // a Xen is installed, whether or not it was booted
    std::string version;   // "4.17.7", of the one that runs; "" if the kernel does not say
    bool has_xl = false;   // the rest is of a dom0 with xl
    std::string failure;   // why xl does not answer; "" if it does
    bool is_root = true;
    bool has_bridge = false;                   // any
    std::vector<std::string> missing_modules;  // of dom0's kernel: "xen-netback"
};

struct HostState {
    std::string user;  // name, or number
    os::RootAccess access;
    os::Obstacle namespace_failure;               // of making those that a build needs
    std::map<std::string, std::string> settings;  // sysctl's name to value, of those that this kernel has
    std::vector<std::string> programs;            // found, of those that checks_of() asks for, libparted among them
    std::map<std::string, bool> keyrings;         // "debian" to whether its keyring is there
    XenState xen;
    std::string kvm_failure;                      // "" when KVM runs guests fast enough
    std::string architecture;                     // Debian's name
    std::map<std::string, os::Obstacle> foreign;  // architecture to what keeps its programs from running
};
HostState read_host_state(os::CommandRunner& runner);

enum class Verdict {
    ok,
    limited,  // works, and the finding says what is less
    missing,
};
std::string_view name(Verdict verdict);

enum class Need {
    build,  // without it nothing can be built
    some,   // for some recipes only
    run,    // for guests that are run here
};
std::string_view name(Need need);

struct Check {
    std::string subject;
    Need need = Need::build;
    Verdict verdict = Verdict::ok;
    std::string finding;
    std::string fix;  // a command to paste, or what to do; "" when nothing is to be done
    bool operator==(const Check&) const = default;
};
std::vector<Check> checks_of(const HostState& state);

// No check for Need::build is missing.
bool can_build(const std::vector<Check>& checks);

}  // namespace vprov::doctor
