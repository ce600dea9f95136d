// Devices of running domains: plugged in, unplugged, kept over a restart. The guest of one boot sector has no drivers,
// but lets go of a device when it is told to ("e").
#include <fcntl.h>
#include <sched.h>

#include <atomic>

#include "hypervisor/devices/change.h"
#include "hypervisor/devices/disks.h"
#include "hypervisor/devices/interfaces.h"
#include "hypervisor/devices/memory.h"
#include "hypervisor/devices/screen.h"
#include "hypervisor/devices/vcpus.h"
#include "hypervisor/domains_fixture.h"
#include "hypervisor/launch/tap.h"

namespace vprov::hypervisor {
namespace {

class DevicesTest : public DomainsTest {
  protected:
    // Its login prompt has come: the firmware is done.
    Domains::Console start(const Guest& guest) const {
        create(guest);
        auto console = domains_.open_console(guest.name, Domains::ConsoleMode::write);
        read_until(console, "tiny login: ");
        return console;
    }
    // Lets go of devices again and again while `change` waits for it.
    void while_letting_go(const Domains::Console& console, const std::function<void()>& change) const {
        std::atomic<bool> done = false;
        std::thread guest([&] {
            while (!done) {
                type(console, "e");
                std::this_thread::sleep_for(100ms);
            }
        });
        try {
            change();
        } catch (const Error& e) {
            ADD_FAILURE() << e.message();
        }
        done = true;
        guest.join();
    }
    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }
    fs::path second_disk(const std::string& name = "second.img") const {
        const auto path = work_.path() / name;
        os::write_file(path, std::string(1 << 20, '\0'));
        return path;
    }
    GuestDisk disk(const std::string& vdev, const fs::path& file) const {
        return {file.native(), DiskFormat::raw, vdev, true, false};
    }
    // QEMU's disks and cards with their places: "xvdb@31".
    std::vector<std::string> plugged_in(const std::string& name) const {
        std::vector<std::string> devices;
        const auto pci = domains_.monitor(name).execute("query-pci");
        for (const auto& device : pci.at(0).at("devices"))
            if (const auto id = device.value("qdev_id", ""); id.starts_with("xvd") || id.starts_with("vif"))
                devices.push_back(fmt::format("{}@{}", id, device.value("slot", 0)));
        std::sort(devices.begin(), devices.end());
        return devices;
    }
    // Those that QEMU was passed, and has not been told to close.
    std::size_t descriptors(const std::string& name) const {
        std::size_t count = 0;
        const auto sets = domains_.monitor(name).execute("query-fdsets");
        for (const auto& set : sets) count += set.at("fds").size();
        return count;
    }
};

TEST_F(DevicesTest, ADiskComesAndGoes) {
    const auto console = start(tiny("tiny"));
    const auto sets = descriptors("tiny");
    const auto file = second_disk();
    attach_disk(domains_, "tiny", disk("xvdb", file));
    EXPECT_EQ(plugged_in("tiny").back(), "xvdb@31");
    const auto guest = domains_.configuration("tiny");
    ASSERT_EQ(guest.disks.size(), 2U);
    EXPECT_EQ(guest.disks[1].target, file.native());
    EXPECT_EQ(domains_.state().read("tiny")->disks.back(), file.native());

    EXPECT_EQ(error_of([&] { detach_disk(domains_, "tiny", "xvdc"); }),
              fmt::format("cannot detach 'xvdc' from 'tiny': its disks are {}, xvdb", guest.disks[0].vdev));
    while_letting_go(console, [&] { detach_disk(domains_, "tiny", "51728"); });  // Xen's number of xvdb
    EXPECT_EQ(domains_.configuration("tiny").disks.size(), 1U);
    EXPECT_EQ(descriptors("tiny"), sets);
    attach_disk(domains_, "tiny", disk("xvdb", file));  // nothing holds it
}

// What it is based on is passed to QEMU too, which may not open it, and all of it is let go of.
TEST_F(DevicesTest, AnOverlayComesAndGoesWithItsBases) {
    const auto base = second_disk("base.img"), middle = work_.path() / "middle.qcow2", top = work_.path() / "top.qcow2";
    for (const auto& [image, format, below] : {std::tuple{middle, "raw", base}, {top, "qcow2", middle}}) {
        const os::Command command{
            {"qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", below.filename().native(), image.native()},
            os::clean_environment(),
            ""};
        ASSERT_TRUE(os::SystemCommandRunner().run(command).ok());
    }
    for (const auto& image : {base, middle, top})
        fs::permissions(image, fs::perms::owner_read | fs::perms::owner_write);
    const auto console = start(tiny("tiny"));
    const auto sets = descriptors("tiny");
    auto overlay = disk("xvdb", top);
    overlay.format = DiskFormat::qcow2;
    attach_disk(domains_, "tiny", overlay);
    EXPECT_EQ(descriptors("tiny"), sets + 3);
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", disk("xvdc", base)); }),
              fmt::format("cannot attach '{}' to 'tiny': it is in use by another process", base.native()));
    EXPECT_EQ(descriptors("tiny"), sets + 3);
    while_letting_go(console, [&] { detach_disk(domains_, "tiny", "xvdb"); });
    EXPECT_EQ(descriptors("tiny"), sets);
    fs::remove(base);
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", overlay); }),
              fmt::format("cannot attach '{}' to 'tiny': cannot open '{}': No such file or directory", top.native(),
                          base.native()));
    EXPECT_EQ(descriptors("tiny"), sets);
}

TEST_F(DevicesTest, ADiskIsThereAfterARestart) {
    const auto console = start(tiny("tiny"));
    attach_disk(domains_, "tiny", disk("xvdb", second_disk()));
    attach_interface(domains_, "tiny", {});
    const auto before = plugged_in("tiny");
    type(console, "r");
    read_until(console, "tiny login: ");
    EXPECT_EQ(plugged_in("tiny"), before);
}

// In a network namespace of the test's own.
TEST_F(DevicesTest, ACardOnABridgeSendsFromItsAddressOnly) {
    if (!os::program_exists("nft"))
        GTEST_SKIP() << "nft is not installed (Debian: nftables)";
    if (::unshare(CLONE_NEWNET) != 0)
        GTEST_SKIP() << "network namespaces take root";
    const auto tables = [] {
        return os::SystemCommandRunner().run({{"nft", "list", "tables"}, os::clean_environment(), ""}).output;
    };
    make_bridge("vprovbr0");
    const auto console = start(tiny("tiny"));
    GuestInterface card{"", "vprovbr0", "", {}};
    card.ip = "10.1.1.5";
    EXPECT_EQ(attach_interface(domains_, "tiny", card), std::vector<std::string>());
    EXPECT_NE(tables().find("vprov-vif1.0"), std::string::npos);
    while_letting_go(console, [&] { detach_interface(domains_, "tiny", "0"); });
    EXPECT_EQ(tables(), "");
}

TEST_F(DevicesTest, AGuestThatDoesNotLetGoKeepsItsDisk) {
    start(tiny("tiny"));
    attach_disk(domains_, "tiny", disk("xvdb", second_disk()));
    EXPECT_EQ(error_of([&] { detach_disk(domains_, "tiny", "xvdb"); }),
              "cannot detach 'xvdb' from 'tiny': the guest does not let go of it: its system must be running "
              "and know ACPI hot-plug");
    EXPECT_EQ(domains_.configuration("tiny").disks.size(), 2U);
}

TEST_F(DevicesTest, ADiskInUseIsRefused) {
    const auto file = second_disk();
    start(tiny("one"));
    start(tiny("two"));
    attach_disk(domains_, "one", disk("xvdb", file));
    const auto sets = descriptors("two");
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "two", disk("xvdb", file)); }),
              fmt::format("cannot attach '{}' to 'two': it is in use by the domain 'one'", file.native()));
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "one", disk("xvdc", file)); }),
              fmt::format("cannot attach '{}' to 'one': it is its xvdb already", file.native()));
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "one", disk("xvdb", second_disk("third.img"))); }),
              "cannot attach 'xvdb' to 'one': it has a disk of that name");
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "two", disk("xvdb", work_.path() / "none")); }),
              fmt::format("cannot attach '{0}/none' to 'two': cannot open '{0}/none': No such file or directory",
                          work_.path().native()));
    EXPECT_EQ(descriptors("two"), sets);
    EXPECT_EQ(domains_.configuration("two").disks.size(), 1U);
}

// QEMU's own lock: of a process that is no domain.
TEST_F(DevicesTest, ADiskThatAnotherProcessUsesIsRefused) {
    start(tiny("tiny"));
    const auto file = second_disk();
    const auto held = os::open_file(file, O_RDWR);
    for (const auto byte : {101, 201}) {  // block/file-posix.c: it writes, and nobody else shall
        struct flock lock {};
        lock.l_type = F_RDLCK;
        lock.l_start = byte;
        lock.l_len = 1;
        ASSERT_EQ(::fcntl(held.get(), F_OFD_SETLK, &lock), 0);
    }
    const auto sets = descriptors("tiny");
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", disk("xvdb", file)); }),
              fmt::format("cannot attach '{}' to 'tiny': it is in use by another process", file.native()));
    EXPECT_EQ(descriptors("tiny"), sets);
    EXPECT_EQ(plugged_in("tiny").size(), 1U);
}

TEST_F(DevicesTest, AnIdeDiskStaysWhereItIs) {
    auto guest = tiny("tiny");
    guest.type = GuestType::hvm;
    guest.disks[0].vdev = "hda";
    guest.disks[0].writable = true;
    start(guest);
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", disk("hdb", second_disk())); }),
              "cannot attach 'hdb' to 'tiny': an IDE disk cannot be plugged in while it runs; name it xvdX");
    EXPECT_EQ(error_of([&] { detach_disk(domains_, "tiny", "hda"); }),
              "cannot detach 'hda' from 'tiny': an IDE disk cannot be unplugged while it runs");
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", disk("sda", second_disk())); }),
              "cannot attach 'sda' to 'tiny': it was started without a SCSI bus; name it xvdX");
}

TEST_F(DevicesTest, AnotherCd) {
    auto guest = tiny("tiny");
    guest.type = GuestType::hvm;
    guest.disks[0].vdev = "hda";
    guest.disks[0].writable = true;
    const auto first = second_disk("first.iso"), second = second_disk("second.iso");
    guest.disks.push_back({first.native(), DiskFormat::raw, "hdc", false, true});
    start(guest);
    const auto medium = [&]() -> std::string {
        const auto blocks = domains_.monitor("tiny").execute("query-block");
        for (const auto& block : blocks)
            if (block.value("qdev", "") == "hdc")
                return block.contains("inserted")
                           ? std::to_string(block["inserted"]["image"].value("virtual-size", 0)) + " " +
                                 (block.value("tray_open", false) ? "open" : "closed")
                           : "none";
        return "no drive";
    };
    EXPECT_EQ(medium(), "1048576 closed");
    const auto sets = descriptors("tiny");
    change_cd(domains_, "tiny", "hdc", "");
    EXPECT_EQ(medium(), "none");
    fs::resize_file(second, 3 << 20);
    change_cd(domains_, "tiny", "hdc", second.native());
    EXPECT_EQ(medium(), "3145728 closed");
    change_cd(domains_, "tiny", "hdc", first.native());
    EXPECT_EQ(medium(), "1048576 closed");
    EXPECT_EQ(domains_.configuration("tiny").disks[1].target, first.native());
    EXPECT_LE(descriptors("tiny"), sets + 1);
    EXPECT_EQ(error_of([&] { change_cd(domains_, "tiny", "hda", first.native()); }),
              fmt::format("cannot insert '{}' into 'hda' of 'tiny': it is no CD drive", first.native()));
    EXPECT_EQ(error_of([&] { change_cd(domains_, "tiny", "hdc", disk_.native()); }),
              fmt::format("cannot insert '{}' into 'hdc' of 'tiny': it is its hda already", disk_.native()));
}

TEST_F(DevicesTest, CardsKeepTheirNumbersAndAddresses) {
    auto guest = tiny("tiny");
    guest.interfaces = {{"aa:00:00:00:00:01", "", "", {}}};
    const auto console = start(guest);
    EXPECT_EQ(attach_interface(domains_, "tiny", {}), std::vector<std::string>());
    EXPECT_EQ(error_of([&] {
                  attach_interface(domains_, "tiny", {"AA:00:00:00:00:01", "", "", {}});
              }),
              "cannot attach a network card to 'tiny': it has one with the address AA:00:00:00:00:01");
    const auto second = domains_.configuration("tiny").interfaces.at(1);
    EXPECT_EQ(second.other.at("devid"), "1");
    EXPECT_EQ(plugged_in("tiny"), (std::vector<std::string>{"vif0@5", "vif1@31", "xvda@4"}));
    while_letting_go(console, [&] { detach_interface(domains_, "tiny", "aa:00:00:00:00:01"); });
    EXPECT_EQ(domains_.configuration("tiny").interfaces, std::vector{second});
    attach_interface(domains_, "tiny", {});
    EXPECT_EQ(domains_.configuration("tiny").interfaces.at(1).other.at("devid"), "0");
    while_letting_go(console, [&] { detach_interface(domains_, "tiny", "1"); });
    EXPECT_EQ(error_of([&] { detach_interface(domains_, "tiny", "1"); }),
              "cannot detach the network card '1' from 'tiny': it has no such card (see vprov network-list tiny)");
}

TEST_F(DevicesTest, WithoutABalloonDriverTheMemoryStays) {
    auto guest = tiny("tiny");
    guest.memory_mib = 48;
    guest.maxmem_mib = 64;
    start(guest);
    EXPECT_EQ(domains_.monitor("tiny").execute("query-memory-size-summary")["base-memory"], 64U << 20);
    EXPECT_EQ(domains_.find("tiny").memory_mib, 48U);
    EXPECT_EQ(
        error_of([&] { set_memory(domains_, "tiny", 32); }),
        "cannot set the memory of 'tiny': the guest does not follow: it has no balloon driver (virtio_balloon), or "
        "has not loaded it yet");
    EXPECT_EQ(error_of([&] { set_memory(domains_, "tiny", 65); }),
              "cannot set the memory of 'tiny': it can have 64 MiB at most (maxmem)");
    domains_.pause("tiny");
    EXPECT_EQ(error_of([&] { set_memory(domains_, "tiny", 32); }), "cannot set the memory of 'tiny': it is paused");
    EXPECT_EQ(domains_.find("tiny").memory_mib, 48U);
}

TEST_F(DevicesTest, ProcessorsComeAndStay) {
    auto guest = tiny("tiny");
    guest.vcpus = 2;
    guest.maxvcpus = 4;
    const auto console = start(guest);
    const auto count = [&] { return domains_.monitor("tiny").execute("query-cpus-fast").size(); };
    EXPECT_EQ(count(), 2U);
    set_vcpus(domains_, "tiny", 4);
    EXPECT_EQ(count(), 4U);
    EXPECT_EQ(vcpus_of(domains_, "tiny").size(), 4U);
    EXPECT_EQ(domains_.find("tiny").vcpus, 4U);
    EXPECT_EQ(error_of([&] { set_vcpus(domains_, "tiny", 5); }),
              "cannot give 'tiny' 5 processors: it can have 4 at most (maxvcpus)");
    EXPECT_EQ(error_of([&] { set_vcpus(domains_, "tiny", 3); }),
              "cannot give 'tiny' 3 processors: one that was plugged in cannot be unplugged without KVM; the guest can "
              "stop using it: echo 0 >/sys/devices/system/cpu/cpuN/online");
    EXPECT_EQ(domains_.find("tiny").vcpus, 4U);
    type(console, "r");
    read_until(console, "tiny login: ");
    EXPECT_EQ(count(), 4U);
}

TEST_F(DevicesTest, ASnapshotOfTheScreen) {
    auto guest = tiny("tiny");
    start(guest);
    const auto file = work_.path() / "screen.png";
    EXPECT_EQ(
        error_of([&] { snapshot_screen(domains_, "tiny", file); }),
        "cannot take a snapshot of the screen of 'tiny': it has none (vnc = 1 in its configuration gives it one)");
    EXPECT_FALSE(fs::exists(file));
    guest.name = "seen";
    guest.type = GuestType::hvm;
    guest.disks[0].vdev = "hda";
    guest.disks[0].writable = true;
    domains_.destroy("tiny");
    guest.vnc = true;
    guest.vncpasswd = "geheim";
    start(guest);
    const auto sets = descriptors("seen");
    snapshot_screen(domains_, "seen", file);
    const auto png = os::read_file(file);
    EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(png.substr(16, 8), std::string("\0\0\x02\xd0\0\0\x01\x90", 8));  // 720 x 400: text
    EXPECT_EQ(descriptors("seen"), sets);
    const auto address = vnc_address(domains_, "seen");
    EXPECT_EQ(address.host, "127.0.0.1");
    EXPECT_TRUE(address.port.starts_with("59"));
    EXPECT_TRUE(address.has_password);
}

TEST_F(DevicesTest, NobodyElseChangesMeanwhile) {
    start(tiny("tiny"));
    const auto saving = domains_.operate("tiny", "save");
    EXPECT_EQ(error_of([&] { attach_disk(domains_, "tiny", disk("xvdb", second_disk())); }),
              "cannot go on with 'tiny': another command is at it (save)");
}

}  // namespace
}  // namespace vprov::hypervisor
