// What xl says, read: recorded from Xen 4.17.7 (tests/hypervisor/xl/), and its engine on a xl that is told what to say.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include "base/error.h"
#include "hypervisor/xen/dom0.h"
#include "hypervisor/xen/xen_engine.h"
#include "hypervisor/xen/xen_preflight.h"
#include "hypervisor/xen/xl_output.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace {
namespace fs = std::filesystem;

std::string recorded(std::string_view name) {
    return os::read_file(fs::path(VPROV_TEST_DATA) / "xl" / name);
}

std::string failure_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::hypervisor);
        return e.what();
    }
    return "no error";
}

TEST(XlOutput, List) {
    const auto domains = parse_xl_list(recorded("list.txt"));
    ASSERT_EQ(domains.size(), 3U);
    EXPECT_EQ(domains[0].name, "Domain-0");
    EXPECT_EQ(domains[0].id, 0U);
    EXPECT_TRUE(domains[0].is_host);
    EXPECT_FALSE(domains[1].is_host);
    EXPECT_EQ(domains[0].memory_mib, 1024U);
    EXPECT_EQ(domains[0].state, "r-----");
    EXPECT_EQ(domains[2].name, "debian2");
    EXPECT_EQ(domains[2].id, 2U);
    EXPECT_EQ(domains[2].memory_mib, 512U);
    EXPECT_EQ(domains[2].cpu_seconds, 39.1);
    EXPECT_EQ(domains[1].state, "-b----");
    EXPECT_EQ(domains[2].vcpus, 1U);
}

TEST(XlOutput, AListThatIsNotTheUsualOne) {
    const auto domains = parse_xl_list(
        "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
        "a-name-that-is-longer-than-the-column-that-xl-has   12   512     2     --p---       0.5\n"
        "(null)                                       3     0     1     --psd-      12.1\n");
    ASSERT_EQ(domains.size(), 2U);
    EXPECT_EQ(domains[0].name, "a-name-that-is-longer-than-the-column-that-xl-has");
    EXPECT_EQ(domains[0].id, 12U);
    EXPECT_EQ(domains[0].cpu_seconds, 0.5);
    EXPECT_EQ(domains[1].name, "(null)");
    EXPECT_EQ(domains[1].state, "--psd-");
    EXPECT_EQ(failure_of([] { parse_xl_list("xl: what is this?\n"); }),
              "cannot read a line of 'xl list': 'xl: what is this?'");
    EXPECT_EQ(failure_of([] { parse_xl_list("a 1 512 many r----- 0.1\n"); }),
              "cannot read a line of 'xl list': 'a 1 512 many r----- 0.1'");
}

TEST(XlOutput, Details) {
    const auto details = parse_xl_details(recorded("list.json"));
    ASSERT_EQ(details.size(), 3U);
    EXPECT_EQ(details.at(0).type, "pv");
    EXPECT_TRUE(details.at(0).disks.empty());
    EXPECT_EQ(details.at(1).name, "debian1");
    EXPECT_EQ(details.at(1).type, "pv");
    EXPECT_EQ(details.at(1).disks, (std::vector<XlDisk>{{"/srv/guests/debian1/root.img", "xvda1", true},
                                                        {"/srv/guests/debian1/swap.img", "xvda2", true}}));
    EXPECT_EQ(details.at(2).type, "pvh");
    EXPECT_EQ(failure_of([] { parse_xl_details("[{}]"); }).substr(0, 36), "cannot read what 'xl list -l' says: ");
}

TEST(XlOutput, ConfigurationOfADomain) {
    EXPECT_NE(xl_configuration(recorded("list.json"), 1).find("\"debian1\""), std::string::npos);
    EXPECT_EQ(xl_configuration(recorded("list.json"), 7), "{}");
    EXPECT_EQ(failure_of([] { xl_configuration("xl: what?", 1); }).substr(0, 36),
              "cannot read what 'xl list -l' says: ");
}

TEST(XlOutput, Causes) {
    EXPECT_EQ(cause_of_xl_failure(
                  "Parsing config from /tmp/d2.cfg\n"
                  "libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain 2:Domain with name \"debian1\" already "
                  "exists.\n"
                  "libxl: error: libxl_create.c:1296:initiate_domain_create: Domain 2:cannot make domain: -6\n",
                  3),
              "Domain with name \"debian1\" already exists");
    EXPECT_EQ(cause_of_xl_failure(
                  "libxl: error: libxl_exec.c:117:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge online "
                  "[538] exited with error status 1\n"
                  "libxl: error: libxl_device.c:1337:device_hotplug_child_death_cb: script: Could not find bridge "
                  "device nobr\n",
                  3),
              "Could not find bridge device nobr");
    EXPECT_EQ(cause_of_xl_failure(
                  "libxl: error: libxl_aoutils.c:539:async_exec_timeout: killing execution of /etc/xen/scripts/block "
                  "add because of timeout\n"
                  "libxl: error: libxl_device.c:1337:device_hotplug_child_death_cb: script: /etc/xen/scripts/block "
                  "failed; error detected.\n",
                  3),
              "killing execution of /etc/xen/scripts/block add because of timeout");
    EXPECT_EQ(
        cause_of_xl_failure(
            "xc: error: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate low memory for domain: Out "
            "of memory\n",
            3),
        "can't allocate low memory for domain: Out of memory");
    EXPECT_EQ(cause_of_xl_failure("nosuch is an invalid domain identifier (rc=-6)\n", 1),
              "nosuch is an invalid domain identifier (rc=-6)");
    EXPECT_EQ(cause_of_xl_failure("Parsing config from /tmp/d2.cfg\n\n", 139),
              "xl says nothing, its exit status is 139");
}

class Root {
  public:
    void write(const std::string& path, std::string_view text) const {
        fs::create_directories((path_ / path).parent_path());
        os::write_file(path_ / path, text);
    }
    const fs::path& path() const { return path_; }

  private:
    os::TempDir place_{fs::temp_directory_path(), "vprov-xen-"};
    fs::path path_ = place_.path();
};

TEST(Dom0, IsTold) {
    const Root root;
    EXPECT_EQ(find_xen_role(root.path()), XenRole::none);
    EXPECT_FALSE(has_xen_in_boot(root.path()));
    root.write("boot/xen-4.17-amd64.gz", "");
    EXPECT_TRUE(has_xen_in_boot(root.path()));
    root.write("sys/hypervisor/type", "kvm\n");
    EXPECT_EQ(find_xen_role(root.path()), XenRole::none);
    root.write("sys/hypervisor/type", "xen\n");
    root.write("sys/hypervisor/properties/features", "000020f0\n");
    EXPECT_EQ(find_xen_role(root.path()), XenRole::guest);
    root.write("sys/hypervisor/properties/features", "000228f0\n");  // as recorded in a dom0
    EXPECT_EQ(find_xen_role(root.path()), XenRole::controller);
}

TEST(Dom0, ByXenfsAlone) {
    const Root root;
    root.write("proc/xen/capabilities", "");
    EXPECT_EQ(find_xen_role(root.path()), XenRole::none);
    root.write("proc/xen/capabilities", "control_d\n");
    EXPECT_EQ(find_xen_role(root.path()), XenRole::controller);
}

Guest pv_guest(const Root& root) {
    root.write("vmlinuz", "kernel");
    root.write("root.img", "disk");
    root.write("net/bridge0/address", "");
    Guest guest;
    guest.name = "web";
    guest.kernel = "vmlinuz";
    guest.disks.push_back({"root.img", DiskFormat::raw, "xvda1"});
    guest.interfaces.push_back({"aa:00:00:12:23:34", "bridge0", "", {}});
    return guest;
}

std::string refusal(const Root& root, const Guest& guest) {
    return failure_of([&] { prepare_xen_guest(guest, root.path(), root.path() / "net"); });
}

TEST(XenPreflight, PathsAreAbsolute) {
    const Root root;
    const auto guest = prepare_xen_guest(pv_guest(root), root.path(), root.path() / "net");
    EXPECT_EQ(guest.kernel, root.path() / "vmlinuz");
    EXPECT_EQ(guest.ramdisk, "");
    EXPECT_EQ(guest.disks[0].target, root.path() / "root.img");
}

TEST(XenPreflight, NamesWhatIsMissing) {
    const Root root;
    auto guest = pv_guest(root);
    guest.ramdisk = "initrd.img";
    EXPECT_EQ(refusal(root, guest),
              fmt::format("cannot create 'web': the ramdisk '{}/initrd.img' does not exist", root.path().native()));
    guest = pv_guest(root);
    guest.disks[0].target = "/nowhere/root.img";
    EXPECT_EQ(refusal(root, guest), "cannot create 'web': the disk xvda1 '/nowhere/root.img' does not exist");
    guest.disks[0].script = "block-nbd";  // whose targets are no paths
    EXPECT_EQ(refusal(root, guest), "no error");
    guest = pv_guest(root);
    guest.interfaces[0].bridge = "br1";
    EXPECT_EQ(refusal(root, guest),
              "cannot create 'web': there is no bridge 'br1' (ip link add br1 type bridge; ip link set br1 up)");
    guest = pv_guest(root);
    guest.kernel = "";
    EXPECT_EQ(
        refusal(root, guest),
        "cannot create 'web': its configuration names no kernel (kernel=\"...\"), which a pv or pvh domain needs");
    guest.bootloader = "pygrub";
    EXPECT_EQ(refusal(root, guest), "no error");
    guest.name = "../web";
    EXPECT_EQ(refusal(root, guest), "cannot create a domain named '../web': letters, digits and . _ + - only");
}

TEST(XenPreflight, ADiskHasOneWriter) {
    const Root root;
    auto guest = prepare_xen_guest(pv_guest(root), root.path(), root.path() / "net");
    fs::create_hard_link(root.path() / "root.img", root.path() / "same.img");
    const std::map<unsigned, XlDetails> writer = {{4, {"db", "pv", {{root.path() / "same.img", "xvda1", true}}}}};
    const std::map<unsigned, XlDetails> reader = {{4, {"db", "pv", {{root.path() / "same.img", "xvda1", false}}}}};
    const auto said =
        fmt::format("cannot create 'web': its disk '{}/root.img' is in use by the domain 'db'", root.path().native());
    EXPECT_EQ(failure_of([&] { refuse_shared_disks("create", guest, writer); }), said);
    EXPECT_EQ(failure_of([&] { refuse_shared_disks("create", guest, reader); }), said);
    guest.disks[0].writable = false;
    EXPECT_EQ(failure_of([&] { refuse_shared_disks("create", guest, writer); }), said);
    EXPECT_EQ(failure_of([&] { refuse_shared_disks("create", guest, reader); }), "no error");
}

// An xl that answers as it was recorded.
class Recorded final : public os::CommandRunner {
  public:
    os::CommandResult run(const os::Command& command) override {
        std::string line;
        for (const auto& word : command.argv) line += (line.empty() ? "" : " ") + word;
        asked.push_back(line);
        const auto answer = answers.find(line);
        return answer == answers.end() ? os::CommandResult{} : answer->second;
    }
    std::map<std::string, os::CommandResult> answers = {{"xl list", {0, recorded("list.txt"), ""}},
                                                        {"xl list -l", {0, recorded("list.json"), ""}}};
    std::vector<std::string> asked;
};

TEST(XenEngine, ListsWithTypes) {
    Recorded xl;
    const auto domains = XenEngine(xl).list();
    ASSERT_EQ(domains.size(), 3U);
    EXPECT_EQ(domains[1].engine, "Xen (pv)");
    EXPECT_EQ(domains[2].engine, "Xen (pvh)");
    xl.answers["xl list"] = {
        1, "", "xencall: error: Could not obtain handle on privileged command interface: Permission denied\n"};
    EXPECT_EQ(
        failure_of([&] { XenEngine(xl).list(); }),
        "cannot list the domains of Xen: xencall: error: Could not obtain handle on privileged command interface: "
        "Permission denied");
}

TEST(XenEngine, OrdersAreByIdAndNeverForTheHost) {
    Recorded xl;
    const XenEngine engine(xl);
    engine.shutdown("debian1");
    EXPECT_EQ(xl.asked.back(), "xl shutdown -F 1");
    engine.reboot("2");
    EXPECT_EQ(xl.asked.back(), "xl reboot -F 2");
    engine.rename("debian1", "web");
    EXPECT_EQ(xl.asked.back(), "xl rename 1 web");
    EXPECT_EQ(failure_of([&] { engine.rename("debian1", "debian2"); }),
              "cannot rename 'debian1' to 'debian2': a domain of that name is running");
    for (const auto& name : {"Domain-0", "0"}) {
        EXPECT_EQ(failure_of([&] { engine.shutdown(name); }), "cannot shut down 'Domain-0': it is this host itself");
        EXPECT_EQ(failure_of([&] { engine.destroy(name); }), "cannot destroy 'Domain-0': it is this host itself");
    }
    EXPECT_EQ(failure_of([&] { engine.destroy("debian3"); }),
              "cannot find a domain named 'debian3': no such domain is running (did you mean 'debian1'?)");
}

TEST(XenEngine, ChangesAreXlsWords) {
    Recorded xl;
    const XenEngine engine(xl);
    EXPECT_EQ(engine.set_memory("debian1", 400), 512U);  // as xl lists it
    EXPECT_EQ(xl.asked.at(xl.asked.size() - 3), "xl mem-set 1 400m");
    engine.set_vcpus("debian2", 2);
    EXPECT_EQ(xl.asked.back(), "xl vcpu-set 2 2");
    engine.attach_disk("debian1", {"/srv/data.img", DiskFormat::raw, "xvdb"});
    EXPECT_EQ(xl.asked.back(), "xl block-attach 1 format=raw,vdev=xvdb,access=rw,target=/srv/data.img");
    EXPECT_EQ(
        failure_of([&] {
            engine.attach_disk("debian1", {"/srv/guests/debian2/root.img", DiskFormat::raw, "xvdb"});
        }),
        "cannot attach a disk to 'debian1': its disk '/srv/guests/debian2/root.img' is in use by the domain 'debian2'");
    engine.detach_disk("debian1", "xvdb");
    EXPECT_EQ(xl.asked.back(), "xl block-detach 1 xvdb");
    engine.attach_interface("debian1", {"aa:00:00:12:23:36", "bridge0", "", {}});
    EXPECT_EQ(xl.asked.back(), "xl network-attach 1 mac=aa:00:00:12:23:36,bridge=bridge0");
    engine.detach_interface("debian1", "aa:00:00:12:23:36");
    EXPECT_EQ(xl.asked.back(), "xl network-detach 1 aa:00:00:12:23:36");
    engine.change_cd("debian1", "hdc", "/srv/a.iso");
    EXPECT_EQ(xl.asked.back(), "xl cd-insert 1 hdc /srv/a.iso");
    engine.change_cd("debian1", "hdc", "");
    EXPECT_EQ(xl.asked.back(), "xl cd-eject 1 hdc");
    xl.answers["xl mem-set 1 9000m"] = {
        1, "",
        "libxl: error: libxl_mem.c:278:libxl_set_memory_target: Domain 1:memory_dynamic_max "
        "must be less than or equal to memory_static_max\n\n"
        "cannot set domid 1 dynamic max memory to : 9000\n"};
    EXPECT_EQ(failure_of([&] { engine.set_memory("debian1", 9000); }),
              "cannot set the memory of 'debian1': memory_dynamic_max must be less than or equal to memory_static_max");
}

TEST(XenEngine, AsksAgainWhenXlCrashes) {
    class Crashing final : public os::CommandRunner {
      public:
        os::CommandResult run(const os::Command& command) override {
            return ++runs < crashes + 1 ? os::CommandResult{139, "", ""} : recorded_.run(command);
        }
        int runs = 0, crashes = 2;

      private:
        Recorded recorded_;
    } xl;
    EXPECT_TRUE(XenEngine(xl).is_running("debian1"));
    EXPECT_EQ(xl.runs, 3);
    xl.crashes = 100;
    EXPECT_EQ(failure_of([&] { XenEngine(xl).is_running("debian1"); }),
              "cannot list the domains of Xen: xl says nothing, its exit status is 139");
}

// As Xen 4.17 does it: exit status 0.
TEST(XenEngine, AFailureWithoutAStatus) {
    Recorded xl;
    xl.answers["xl pause 1"] = {
        0, "", "libxl: error: libxl_domain.c:587:libxl_domain_pause: Domain 1:Pausing domain: No such process\n"};
    EXPECT_EQ(failure_of([&] { XenEngine(xl).pause("debian1"); }),
              "cannot pause 'debian1': Pausing domain: No such process");
}

// xl gets a configuration that only its owner can read, and that is gone afterwards.
TEST(XenEngine, CreatesFromAPrivateFile) {
    class Creating final : public os::CommandRunner {
      public:
        os::CommandResult run(const os::Command& command) override {
            if (command.argv[1] != "create")
                return recorded_.run(command);
            EXPECT_TRUE(command.runs_to_its_end);
            file = command.argv[2];
            EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
            text = os::read_file(file);
            recorded_.answers["xl list"].output +=
                "web                                          3   128     1     r-----       0.0\n";
            return {0, "", "Parsing config from web.cfg\nWARNING: ignoring \"kernel\" directive\n"};
        }
        fs::path file;
        std::string text;

      private:
        Recorded recorded_;
    } xl;
    const Root root;
    auto guest = pv_guest(root);
    guest.interfaces.clear();
    guest.vncpasswd = "secret";
    const auto created = XenEngine(xl).create(guest, {.executable = "", .folder = root.path()});
    EXPECT_EQ(created.id, 3U);
    EXPECT_EQ(created.warnings, std::vector<std::string>{"xl: WARNING: ignoring \"kernel\" directive"});
    EXPECT_FALSE(fs::exists(xl.file));
    guest.kernel = root.path() / "vmlinuz";
    guest.disks[0].target = root.path() / "root.img";
    EXPECT_EQ(read_xl_cfg(xl.text, "web.cfg").guest, guest);
}

TEST(XenEngine, RefusesANameTwice) {
    Recorded xl;
    const Root root;
    auto guest = pv_guest(root);
    guest.interfaces.clear();
    guest.name = "debian2";
    EXPECT_EQ(failure_of([&] { XenEngine(xl).create(guest, {.executable = "", .folder = root.path()}); }),
              "cannot create 'debian2': a domain of that name is running");
}

}  // namespace
}  // namespace vprov::hypervisor
