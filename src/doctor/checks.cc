#include "doctor/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vprov::doctor {
namespace {

struct Setting {
    const char* name;
    const char* in_the_way;  // the value that forbids
};
constexpr std::array<Setting, 3> kSettings = {{{"kernel.unprivileged_userns_clone", "0"},
                                               {"kernel.apparmor_restrict_unprivileged_userns", "1"},
                                               {"user.max_user_namespaces", "0"}}};

bool has_program(const HostState& state, std::string_view name) {
    return std::find(state.programs.begin(), state.programs.end(), name) != state.programs.end();
}

Check program(const HostState& state, const char* name, Need need, const char* purpose, const char* package) {
    if (has_program(state, name))
        return {name, need, Verdict::ok, purpose, ""};
    return {name, need, Verdict::missing, purpose, fmt::format("sudo apt install {}", package)};
}

Check user_namespaces(const HostState& state) {
    if (const auto& failure = state.namespace_failure; !failure.cause.empty())
        return {"namespaces", Need::build, Verdict::missing, "cannot be made: " + failure.cause, failure.fix};
    const bool as_root = state.access.by == os::RootBy::being_root;
    return {"namespaces", Need::build, Verdict::ok,
            as_root ? "mount, process and network namespaces can be made" : "user namespaces can be made and used", ""};
}

Check ids(const HostState& state) {
    const auto count = std::min(os::ids_from_zero(state.access.users), os::ids_from_zero(state.access.groups));
    switch (state.access.by) {
        case os::RootBy::being_root:
            return {"ids", Need::build, Verdict::ok, fmt::format("all: {} is root of the host", state.user), ""};
        case os::RootBy::nested_ids:
            return {"ids", Need::build, Verdict::ok, fmt::format("{}, which this container has", count), ""};
        case os::RootBy::subordinate_ids:
            return {"ids", Need::build, Verdict::ok,
                    fmt::format("{}: {}'s own and its subordinate ones", count, state.user), ""};
        case os::RootBy::single_id:
            break;
    }
    return {"ids", Need::build, Verdict::limited,
            fmt::format("a single one, so every file of a tree will belong to root: {}", state.access.shortfall.cause),
            state.access.shortfall.fix};
}

// Named also where nothing is wrong: it is what people look for.
void add_settings(const HostState& state, std::vector<Check>& checks) {
    for (const auto& setting : kSettings) {
        const auto found = state.settings.find(setting.name);
        if (found == state.settings.end())
            continue;
        const bool forbids = found->second == setting.in_the_way && !state.namespace_failure.cause.empty();
        checks.push_back({setting.name, Need::build, forbids ? Verdict::missing : Verdict::ok,
                          fmt::format("is {}{}", found->second, forbids ? ", which forbids them" : ""), ""});
    }
}

void add_foreign(const HostState& state, std::vector<Check>& checks) {
    for (const auto& [architecture, obstacle] : state.foreign) {
        if (architecture == state.architecture)
            continue;
        const bool runs = obstacle.cause.empty();
        checks.push_back({architecture + " programs", Need::some, runs ? Verdict::ok : Verdict::missing,
                          runs ? fmt::format("run here, so {} guests can be built", architecture)
                               : "do not run here: " + obstacle.cause,
                          obstacle.fix});
    }
}

void add_keyrings(const HostState& state, std::vector<Check>& checks) {
    for (const auto& [distribution, present] : state.keyrings) {
        const bool is_debian = distribution == "debian";
        const std::string package = is_debian ? "debian-archive-keyring" : "ubuntu-keyring";
        checks.push_back({package, is_debian ? Need::build : Need::some, present ? Verdict::ok : Verdict::missing,
                          fmt::format("the keys of {}", is_debian ? "Debian's archive" : "Ubuntu's archive"),
                          present ? "" : "sudo apt install " + package});
    }
}

Check kvm(const HostState& state) {
    if (state.kvm_failure.empty())
        return {"KVM", Need::run, Verdict::ok, "guests run at full speed", ""};
    const bool refused = state.kvm_failure.find("Permission denied") != std::string::npos;
    return {"KVM", Need::run, Verdict::limited, fmt::format("guests are emulated, slowly: {}", state.kvm_failure),
            refused ? fmt::format("sudo adduser {} kvm", state.user) : ""};
}

std::string xen_name(const XenState& xen) {
    return xen.version.empty() ? "Xen" : "Xen " + xen.version;
}

Check dom0(const XenState& xen) {
    const auto here = fmt::format("this is a dom0 of {}", xen_name(xen));
    if (!xen.has_xl) {
        const auto release = xen.version.substr(0, xen.version.rfind('.'));  // packages are named by major.minor
        return {"Xen", Need::run, Verdict::missing, here + ", and there is no xl",
                xen.version.empty() ? "sudo apt install xen-system-amd64" : "sudo apt install xen-utils-" + release};
    }
    if (xen.failure.empty())
        return {"Xen", Need::run, Verdict::ok, here + ": guests run on it", ""};
    if (!xen.is_root)
        return {"Xen", Need::run, Verdict::limited, here + ", and only root can use it", "sudo vprov doctor"};
    return {"Xen", Need::run, Verdict::missing, fmt::format("{}, and xl does not answer: {}", here, xen.failure),
            "sudo service xen start"};
}

Check xen(const XenState& xen) {
    switch (xen.role) {
        case hypervisor::XenRole::controller:
            return dom0(xen);
        case hypervisor::XenRole::guest:
            return {"Xen", Need::run, Verdict::ok, "this is a guest of it: QEMU runs guests here", ""};
        case hypervisor::XenRole::none:
            break;
    }
    if (xen.in_boot)
        return {"Xen", Need::run, Verdict::limited, "is installed, and was not booted: QEMU runs guests",
                "sudo reboot   (and choose \"with Xen hypervisor\")"};
    return {"Xen", Need::run, Verdict::ok, "this host does not run on it: QEMU runs guests", ""};
}

bool runs_on_xen(const XenState& xen) {
    return xen.role == hypervisor::XenRole::controller && xen.has_xl && xen.failure.empty();
}

void add_dom0_parts(const XenState& xen, std::vector<Check>& checks) {
    for (const auto& module : xen.missing_modules)
        checks.push_back({module, Need::run, Verdict::missing, "serves the devices of Xen's guests, and is not loaded",
                          "sudo modprobe " + module});
    if (xen.has_bridge)
        checks.push_back({"bridge", Need::run, Verdict::ok, "connects guests with the network", ""});
    else
        checks.push_back({"bridge", Need::run, Verdict::limited, "there is none: guests have no network",
                          "sudo ip link add xenbr0 type bridge && sudo ip link set xenbr0 up"});
}

}  // namespace

std::string_view name(Verdict verdict) {
    return verdict == Verdict::ok ? "ok" : verdict == Verdict::limited ? "limited" : "missing";
}

std::string_view name(Need need) {
    return need == Need::build ? "build" : need == Need::some ? "some" : "run";
}

std::vector<Check> checks_of(const HostState& state) {
    std::vector<Check> checks;
    checks.push_back(ids(state));
    if (state.access.by != os::RootBy::being_root && state.access.by != os::RootBy::nested_ids)
        checks.push_back(
            program(state, "newuidmap", Need::some, "maps subordinate ids, for users other than root", "uidmap"));
    checks.push_back(user_namespaces(state));
    add_settings(state, checks);
    checks.push_back(program(state, "gpgv", Need::build, "checks the signatures of archives", "gpgv"));
    add_keyrings(state, checks);
    checks.push_back(program(state, "mke2fs", Need::build, "makes the file systems of images", "e2fsprogs"));
    checks.push_back(program(state, "libparted", Need::some, "partitions disks", "libparted2"));
    add_foreign(state, checks);
    checks.push_back(xen(state.xen));
    if (runs_on_xen(state.xen)) {  // which needs neither QEMU nor KVM
        add_dom0_parts(state.xen, checks);
        return checks;
    }
    checks.push_back(program(state, "qemu-system-x86_64", Need::run, "runs guests where there is no Xen",
                             "--no-install-recommends qemu-system-x86"));
    checks.push_back(kvm(state));
    return checks;
}

bool can_build(const std::vector<Check>& checks) {
    return std::none_of(checks.begin(), checks.end(), [](const Check& check) {
        return check.need == Need::build && check.verdict == Verdict::missing;
    });
}

}  // namespace vprov::doctor
