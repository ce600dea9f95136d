#include "doctor/checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vprov::doctor {
namespace {

// A host that lacks nothing, seen by a user with subordinate ids.
HostState complete_host() {
    HostState state;
    state.user = "ann";
    state.access = {
        os::RootBy::subordinate_ids, {{0, 1000, 1}, {1, 100000, 65535}}, {{0, 1000, 1}, {1, 100000, 65535}}, {}};
    state.settings = {{"kernel.apparmor_restrict_unprivileged_userns", "0"}, {"user.max_user_namespaces", "96365"}};
    state.programs = {"newuidmap", "gpgv", "mke2fs", "libparted", "qemu-system-x86_64"};
    state.keyrings = {{"debian", true}, {"ubuntu", true}};
    state.architecture = "amd64";
    state.foreign = {{"amd64", {}}, {"arm64", {}}, {"riscv64", {}}};
    return state;
}

std::string text_of(const std::vector<Check>& checks) {
    std::string text;
    for (const auto& check : checks)
        text += fmt::format("{} {} ({}): {}{}\n", name(check.verdict), check.subject, name(check.need), check.finding,
                            check.fix.empty() ? "" : " | " + check.fix);
    return text;
}

// Those of one subject, and whether anything can be built.
std::string about(const HostState& state, std::string_view subject) {
    std::vector<Check> found;
    for (const auto& check : checks_of(state))
        if (check.subject == subject)
            found.push_back(check);
    return text_of(found) + (can_build(checks_of(state)) ? "can build" : "cannot build");
}

TEST(Doctor, FindsNothingWrong) {
    EXPECT_EQ(text_of(checks_of(complete_host())),
              "ok ids (build): 65536: ann's own and its subordinate ones\n"
              "ok newuidmap (some): maps subordinate ids, for users other than root\n"
              "ok namespaces (build): user namespaces can be made and used\n"
              "ok kernel.apparmor_restrict_unprivileged_userns (build): is 0\n"
              "ok user.max_user_namespaces (build): is 96365\n"
              "ok gpgv (build): checks the signatures of archives\n"
              "ok debian-archive-keyring (build): the keys of Debian's archive\n"
              "ok ubuntu-keyring (some): the keys of Ubuntu's archive\n"
              "ok mke2fs (build): makes the file systems of images\n"
              "ok libparted (some): partitions disks\n"
              "ok arm64 programs (some): run here, so arm64 guests can be built\n"
              "ok riscv64 programs (some): run here, so riscv64 guests can be built\n"
              "ok Xen (run): this host does not run on it: QEMU runs guests\n"
              "ok qemu-system-x86_64 (run): runs guests where there is no Xen\n"
              "ok KVM (run): guests run at full speed\n");
    EXPECT_TRUE(can_build(checks_of(complete_host())));
}

TEST(Doctor, NamesTheSettingThatForbids) {
    auto state = complete_host();
    state.settings["kernel.apparmor_restrict_unprivileged_userns"] = "1";
    state.namespace_failure = {"kernel.apparmor_restrict_unprivileged_userns is 1", "sudo something"};
    EXPECT_EQ(about(state, "namespaces"),
              "missing namespaces (build): cannot be made: kernel.apparmor_restrict_unprivileged_userns is 1 | sudo "
              "something\ncannot build");
    EXPECT_EQ(about(state, "kernel.apparmor_restrict_unprivileged_userns"),
              "missing kernel.apparmor_restrict_unprivileged_userns (build): is 1, which forbids them\ncannot build");
    EXPECT_EQ(about(state, "user.max_user_namespaces"), "ok user.max_user_namespaces (build): is 96365\ncannot build");
}

TEST(Doctor, ASettingThatDoesNotMatterIsNoFault) {
    auto state = complete_host();
    state.access = {os::RootBy::being_root, {}, {}, {}};
    state.user = "root";
    state.settings = {{"kernel.unprivileged_userns_clone", "0"}};
    EXPECT_EQ(about(state, "kernel.unprivileged_userns_clone"),
              "ok kernel.unprivileged_userns_clone (build): is 0\ncan build");
    EXPECT_EQ(about(state, "ids"), "ok ids (build): all: root is root of the host\ncan build");
    EXPECT_EQ(about(state, "namespaces"),
              "ok namespaces (build): mount, process and network namespaces can be made\ncan build");
    EXPECT_EQ(about(state, "newuidmap"), "can build");  // root has no use for it
}

TEST(Doctor, ASingleIdIsEnoughToBuild) {
    auto state = complete_host();
    state.programs = {"gpgv", "mke2fs"};
    state.access = {
        os::RootBy::single_id, {{0, 1000, 1}}, {{0, 1000, 1}}, {"there is no newuidmap", "sudo apt install uidmap"}};
    EXPECT_EQ(about(state, "ids"),
              "limited ids (build): a single one, so every file of a tree will belong to root: there is no newuidmap | "
              "sudo apt install uidmap\ncan build");
    EXPECT_EQ(about(state, "newuidmap"),
              "missing newuidmap (some): maps subordinate ids, for users other than root | sudo apt install uidmap\n"
              "can build");
    EXPECT_EQ(about(state, "qemu-system-x86_64"),
              "missing qemu-system-x86_64 (run): runs guests where there is no Xen | sudo apt install "
              "--no-install-recommends qemu-system-x86\ncan build");
}

TEST(Doctor, RootOfAContainer) {
    auto state = complete_host();
    state.access = {os::RootBy::nested_ids, {{0, 0, 65536}}, {{0, 0, 65536}}, {}};
    EXPECT_EQ(about(state, "ids"), "ok ids (build): 65536, which this container has\ncan build");
}

TEST(Doctor, WhatABuildCannotDoWithout) {
    auto state = complete_host();
    state.programs = {"newuidmap", "mke2fs"};
    EXPECT_EQ(about(state, "gpgv"),
              "missing gpgv (build): checks the signatures of archives | sudo apt install gpgv\ncannot build");
    state = complete_host();
    state.keyrings = {{"debian", false}, {"ubuntu", false}};
    EXPECT_EQ(about(state, "debian-archive-keyring"),
              "missing debian-archive-keyring (build): the keys of Debian's archive | sudo apt install "
              "debian-archive-keyring\ncannot build");
    state.keyrings["debian"] = true;
    EXPECT_EQ(
        about(state, "ubuntu-keyring"),
        "missing ubuntu-keyring (some): the keys of Ubuntu's archive | sudo apt install ubuntu-keyring\ncan build");
}

TEST(Doctor, ProgramsOfOtherArchitectures) {
    auto state = complete_host();
    state.foreign["arm64"] = {"no emulator is registered", "sudo apt install qemu-user-static"};
    state.foreign["riscv64"] = {"their emulator was killed by signal 11", ""};
    EXPECT_EQ(about(state, "arm64 programs"),
              "missing arm64 programs (some): do not run here: no emulator is registered | sudo apt install "
              "qemu-user-static\ncan build");
    EXPECT_EQ(about(state, "riscv64 programs"),
              "missing riscv64 programs (some): do not run here: their emulator was killed by signal 11\ncan build");
    state.architecture = "arm64";
    EXPECT_EQ(about(state, "arm64 programs"), "can build");
}

TEST(Doctor, Xen) {
    auto state = complete_host();
    state.xen.in_boot = true;
    EXPECT_EQ(
        about(state, "Xen"),
        "limited Xen (run): is installed, and was not booted: QEMU runs guests | sudo reboot   (and choose \"with "
        "Xen hypervisor\")\ncan build");
    state.xen.role = hypervisor::XenRole::guest;
    EXPECT_EQ(about(state, "Xen"), "ok Xen (run): this is a guest of it: QEMU runs guests here\ncan build");
    state.xen.role = hypervisor::XenRole::controller;
    state.xen.version = "4.17.7";
    EXPECT_EQ(about(state, "Xen"),
              "missing Xen (run): this is a dom0 of Xen 4.17.7, and there is no xl | sudo apt install "
              "xen-utils-4.17\ncan build");
    state.xen.has_xl = true;
    state.xen.failure = "cannot open libxc handle";
    EXPECT_EQ(
        about(state, "Xen"),
        "missing Xen (run): this is a dom0 of Xen 4.17.7, and xl does not answer: cannot open libxc handle | sudo "
        "service xen start\ncan build");
    EXPECT_EQ(about(state, "KVM"), "ok KVM (run): guests run at full speed\ncan build");
    state.xen.is_root = false;
    EXPECT_EQ(about(state, "Xen"),
              "limited Xen (run): this is a dom0 of Xen 4.17.7, and only root can use it | sudo vprov doctor\ncan "
              "build");
}

// Neither QEMU nor KVM is of use there.
TEST(Doctor, WhatADom0Needs) {
    auto state = complete_host();
    state.programs = {"newuidmap", "gpgv", "mke2fs"};
    state.xen = {hypervisor::XenRole::controller, true, "4.17.7", true, "", true, true, {}};
    EXPECT_EQ(about(state, "Xen"), "ok Xen (run): this is a dom0 of Xen 4.17.7: guests run on it\ncan build");
    EXPECT_EQ(about(state, "bridge"), "ok bridge (run): connects guests with the network\ncan build");
    EXPECT_EQ(about(state, "qemu-system-x86_64"), "can build");
    EXPECT_EQ(about(state, "KVM"), "can build");
    state.xen.has_bridge = false;
    state.xen.missing_modules = {"xen-netback"};
    EXPECT_EQ(
        about(state, "bridge"),
        "limited bridge (run): there is none: guests have no network | sudo ip link add xenbr0 type bridge && sudo "
        "ip link set xenbr0 up\ncan build");
    EXPECT_EQ(about(state, "xen-netback"),
              "missing xen-netback (run): serves the devices of Xen's guests, and is not loaded | sudo modprobe "
              "xen-netback\ncan build");
}

TEST(Doctor, Kvm) {
    auto state = complete_host();
    state.kvm_failure = "KVM was tried: too slow";
    EXPECT_EQ(about(state, "KVM"),
              "limited KVM (run): guests are emulated, slowly: KVM was tried: too slow\ncan build");
    state.kvm_failure = "KVM was tried: /dev/kvm: Permission denied";
    EXPECT_EQ(
        about(state, "KVM"),
        "limited KVM (run): guests are emulated, slowly: KVM was tried: /dev/kvm: Permission denied | sudo adduser "
        "ann kvm\ncan build");
}

}  // namespace
}  // namespace vprov::doctor
