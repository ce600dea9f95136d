// What a running domain's QEMU is and has.
#include <pwd.h>

#include <map>
#include <set>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/launch/uefi_firmware.h"

namespace vprov::hypervisor {
namespace {

class DomainConfinedTest : public DomainsTest {
  protected:
    pid_t qemu(const std::string& name) const { return domains_.state().read(name)->qemu.pid; }
    static fs::path process(pid_t pid) { return "/proc/" + std::to_string(pid); }

    static std::map<std::string, std::string> status(pid_t pid) {
        std::map<std::string, std::string> fields;
        const auto text = os::read_file(process(pid) / "status");
        for (const auto line : split(text, '\n'))
            if (const auto colon = line.find(':'); colon != std::string_view::npos)
                fields[std::string(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
        return fields;
    }

    // What its descriptors lead to, sockets' and pipes' numbers left out.
    static std::multiset<std::string> open_files(pid_t pid) {
        std::multiset<std::string> files;
        for (const auto& entry : fs::directory_iterator(process(pid) / "fd")) {
            auto target = fs::read_symlink(entry.path()).native();
            files.insert(target.substr(0, target.starts_with('/') ? target.size() : target.find(':')));
        }
        return files;
    }

    // Local addresses in /proc/net/tcp's hexadecimal of the sockets on which the process listens.
    static std::set<std::string> listening_addresses(pid_t pid) {
        std::set<std::string> inodes, addresses;
        for (const auto& entry : fs::directory_iterator(process(pid) / "fd")) {
            const auto target = fs::read_symlink(entry.path()).native();
            if (target.starts_with("socket:["))
                inodes.insert(target.substr(8, target.size() - 9));
        }
        constexpr std::size_t kLocal = 1, kState = 3, kInode = 9;
        for (const auto* const table : {"net/tcp", "net/tcp6", "net/udp", "net/udp6"}) {
            const auto text = os::read_file(process(pid) / table);
            for (const auto line : split(text, '\n')) {
                const auto words = split_words(line);
                if (words.size() > kInode &&
                    (words[kState] == "0A" || std::string_view(table).starts_with("net/udp")) &&
                    inodes.count(std::string(words[kInode])))
                    addresses.emplace(words[kLocal].substr(0, words[kLocal].find(':')));
            }
        }
        return addresses;
    }

    void make_image(const std::vector<std::string>& options) const {
        os::Command command{{"qemu-img", "create", "-q"}, os::clean_environment(), ""};
        command.argv.insert(command.argv.end(), options.begin(), options.end());
        const auto result = os::SystemCommandRunner().run(command);
        ASSERT_TRUE(result.ok()) << result.errors;
    }
};

TEST_F(DomainConfinedTest, QemuHasNoRights) {
    create(tiny("tiny"));
    auto fields = status(qemu("tiny"));
    EXPECT_EQ(fields["NoNewPrivs"], "1");
    EXPECT_EQ(fields["Seccomp"], "2");
    for (const auto* const set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) EXPECT_EQ(fields[set], "0000000000000000");
    const auto limits = os::read_file(process(qemu("tiny")) / "limits");
    EXPECT_NE(limits.find("Max core file size        0                    0"), std::string::npos) << limits;
    if (::geteuid() != 0)
        return;
    EXPECT_EQ(fields["CapBnd"], "0000000000000000");
    EXPECT_EQ(fields["Groups"], "");
    for (const auto* const ids : {"Uid", "Gid"}) {
        const auto words = split_words(fields[ids]);
        ASSERT_EQ(words.size(), 4U);
        EXPECT_NE(words[0], "0");
        EXPECT_EQ(std::set<std::string_view>(words.begin(), words.end()).size(), 1U) << fields[ids];
    }
}

TEST_F(DomainConfinedTest, NoTwoQemusAreTheSameUser) {
    if (::geteuid() != 0 || ::getpwnam("vprov-qemu"))
        GTEST_SKIP() << "they all are this user, or vprov-qemu";
    create(tiny("one"));
    create(tiny("two"));
    EXPECT_NE(status(qemu("one"))["Uid"], status(qemu("two"))["Uid"]);
    EXPECT_NE(status(qemu("one"))["Gid"], status(qemu("two"))["Gid"]);
}

TEST_F(DomainConfinedTest, QemuHasItsOwnFilesOpen) {
    create(tiny("other"));
    create(tiny("tiny"));
    auto files = open_files(qemu("tiny"));
    EXPECT_GE(files.count(disk_.native()), 1U);
    for (const auto& own : {disk_.native(), std::string("/dev/null"), std::string("/dev/urandom"),
                            std::string("socket"), std::string("pipe"), std::string("anon_inode"),
                            std::string("/memfd:guest-ram (deleted)")})
        files.erase(own);
    EXPECT_EQ(files, std::multiset<std::string>());
}

TEST_F(DomainConfinedTest, NobodyElseCanReachIt) {
    auto guest = tiny("tiny");
    guest.interfaces = {{"", "", "", {}}};
    create(guest);
    EXPECT_EQ(listening_addresses(qemu("tiny")), std::set<std::string>());
    unsigned sockets = 0;
    for (const auto& entry : fs::directory_iterator(domains_.state().domain("tiny"))) {
        if (!entry.is_socket())
            continue;
        ++sockets;
        struct stat socket {};
        ASSERT_EQ(::stat(entry.path().c_str(), &socket), 0);
        EXPECT_EQ(socket.st_mode & 07777, 0600U) << entry.path();
        EXPECT_EQ(socket.st_uid, ::geteuid());
    }
    EXPECT_EQ(sockets, 4U);
    auto screen = tiny("screen");
    screen.vnc = true;
    create(screen);
    EXPECT_EQ(listening_addresses(qemu("screen")), std::set<std::string>{"0100007F"});
}

TEST_F(DomainConfinedTest, FilesOfItsOwnerOnlyAlsoAfterARestart) {
    fs::permissions(disk_, fs::perms::owner_read | fs::perms::owner_write);
    auto guest = tiny("tiny");
    guest.disks[0].writable = true;
    create(guest);
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    const auto first = qemu("tiny");
    type(console, "r");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[tiny rebooted]\r\n"));
    EXPECT_NE(qemu("tiny"), first);
    EXPECT_EQ(status(qemu("tiny"))["Seccomp"], "2");
    auto second = tiny("second");
    second.disks[0].writable = true;
    EXPECT_EQ(error_of_creating(second),
              fmt::format("cannot start 'second': its disk {} is in use by the domain 'tiny'", quote(disk_.native())));
    second.disks[0].writable = false;
    EXPECT_EQ(error_of_creating(second),
              fmt::format("cannot start 'second': its disk {} is in use by the domain 'tiny'", quote(disk_.native())));
    domains_.destroy("tiny");
    create(second);  // nobody holds a lock any more
}

// Linux' boot protocol 2.00; says 'K' for ever in real mode.
std::string tiny_kernel() {
    constexpr std::string_view kCode("\xba\xf8\x03\xb0\x4b\xee\xeb\xfd", 8);  // mov $0x3f8,%dx; mov $'K',%al; out; jmp
    std::string kernel(4096, '\0');
    kernel[0x1f1] = 1;  // one sector follows the first
    kernel.replace(0x1fe, 2, "\x55\xaa");
    kernel.replace(0x200, 8, "\xeb\x1eHdrS\0\2", 8);
    kernel[0x211] = 1;  // the rest is loaded at 1 MiB
    kernel.replace(0x220, kCode.size(), kCode);
    return kernel;
}

TEST_F(DomainConfinedTest, AKernelThatOnlyItsOwnerMayRead) {
    auto guest = tiny("tiny");
    guest.kernel = work_.path() / "vmlinuz";
    guest.ramdisk = work_.path() / "initrd.img";
    os::write_file(guest.kernel, tiny_kernel(), 0600);
    os::write_file(guest.ramdisk, std::string(100'000, 'i'), 0600);
    create(guest);
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
    EXPECT_TRUE(read_until(console, "K").ends_with("K"));
    domains_.destroy("tiny");
    fs::permissions(guest.kernel, fs::perms(0644));
    create(guest);
    EXPECT_TRUE(read_until(domains_.open_console("tiny", Domains::ConsoleMode::read), "K").ends_with("K"));
    auto files = open_files(qemu("tiny"));
    EXPECT_EQ(files.count(guest.kernel), 1U);
    EXPECT_EQ(files.count("/memfd"), 0U);
}

TEST_F(DomainConfinedTest, AnImageThatIsBasedOnOthers) {
    fs::permissions(disk_, fs::perms::owner_read);
    fs::create_directory(work_.path() / "tops");
    const auto middle = (work_.path() / "middle.qcow2").native(), top = (work_.path() / "tops/top.qcow2").native();
    make_image({"-f", "qcow2", "-F", "raw", "-b", disk_.native(), middle});
    make_image({"-f", "qcow2", "-F", "qcow2", "-b", "../middle.qcow2", top});
    auto guest = tiny("tiny");
    guest.disks = {{top, DiskFormat::qcow2, "xvda", true, false}};
    create(guest);
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
    EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("tiny login: "));
    auto other = tiny("other");
    other.disks = {{middle, DiskFormat::qcow2, "xvda", true, false}};
    EXPECT_EQ(error_of_creating(other),
              fmt::format("cannot start 'other': its disk {} is in use by another process", quote(middle)));
    domains_.destroy("tiny");
    fs::rename(disk_, work_.path() / "away.img");
    EXPECT_EQ(error_of_creating(guest),
              fmt::format("cannot start 'tiny': the disk xvda {}: cannot open {}: No such file or directory",
                          quote(top), quote(disk_.native())));
}

TEST_F(DomainConfinedTest, AnImageThatDoesNotSayOfWhichFormatItsBaseIs) {
    const auto top = (work_.path() / "top.qcow").native();
    make_image({"-f", "qcow", "-F", "raw", "-b", disk_.native(), top});
    auto guest = tiny("tiny");
    guest.disks = {{top, DiskFormat::qcow, "xvda", true, false}};
    EXPECT_EQ(error_of_creating(guest),
              fmt::format("cannot start 'tiny': the disk xvda {}: it does not say of which format its base {} is "
                          "(qemu-img rebase -u -F FORMAT -b BASE IMAGE notes it)",
                          quote(top), quote(disk_.native())));
}

TEST_F(DomainConfinedTest, UefiKeepsItsVariables) {
    if (!find_uefi_firmware())
        GTEST_SKIP() << "there is no firmware (Debian: ovmf)";
    auto guest = tiny("tiny");
    guest.firmware = Firmware::uefi;
    guest.memory_mib = 128;
    create(guest);
    const auto variables = domains_.state().domain("tiny") / "uefi-variables.fd";
    const auto before = os::read_file(variables);
    EXPECT_EQ(open_files(qemu("tiny")).count(find_uefi_firmware()->code.native()), 2U);
    bool has_changed = false;  // OVMF notes the memory's layout there when it starts
    for (int i = 0; i < 900 && !has_changed; ++i, std::this_thread::sleep_for(100ms))
        has_changed = os::read_file(variables) != before;
    EXPECT_TRUE(has_changed);
}

// iPXE loads it and begins it where a BIOS would a boot sector.
TEST_F(DomainConfinedTest, ADirectoryForTftpThatOthersCannotReach) {
    const auto directory = work_.path() / "tftp";  // in a directory of its owner only
    fs::create_directory(directory);
    fs::permissions(directory, fs::perms(0755));
    os::write_file(directory / "tiny.0", tiny_guest_disk().substr(0, 512), 0644);
    auto guest = tiny("tiny");
    guest.disks.clear();
    guest.boot = "n";
    guest.interfaces = {{"", "", "e1000", {{"tftp", directory.native()}, {"bootfile", "/tiny.0"}}}};
    EXPECT_EQ(create(guest).warnings, std::vector<std::string>());
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
    const auto said = read_until(console, "tiny login: ");
    EXPECT_TRUE(said.ends_with("tiny login: ")) << said;
    domains_.destroy("tiny");
    if (::geteuid() != 0)
        return;
    fs::permissions(directory, fs::perms(0700));
    EXPECT_EQ(create(guest).warnings,
              std::vector<std::string>{fmt::format("nothing is served from the directory for TFTP {}: QEMU runs as "
                                                   "another user (chmod o+rx)",
                                                   quote(directory.native()))});
}

TEST_F(DomainConfinedTest, WithoutASandbox) {
    CreateOptions options{fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()};
    options.sandbox = false;
    domains_.create(tiny("tiny"), options);
    auto fields = status(qemu("tiny"));
    EXPECT_EQ(fields["Seccomp"], "0");
    EXPECT_EQ(split_words(fields["Uid"])[0], std::to_string(::geteuid()));
}

}  // namespace
}  // namespace vprov::hypervisor
