#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_python.h"
#include "hypervisor/guest/guest.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace {

std::string error_of(std::string_view text) {
    try {
        read_xl_cfg(text, "x.cfg");
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::hypervisor);
        return e.message();
    }
    return "no error";
}

// Every configuration of the corpus against NAME.expected: its warnings, then what it means in vprov's own writing.
// VPROV_ACCEPT=1 writes what is found.
TEST(ReadXlCfg, CorpusMeansWhatIsExpected) {
    const std::filesystem::path folder = std::filesystem::path(VPROV_TEST_DATA) / "cfg";
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".cfg")
            continue;
        ++seen;
        const auto read = read_xl_cfg(os::read_file(entry.path()), entry.path().filename().native());
        std::string found;
        for (const auto& warning : read.warnings) found += fmt::format("# {}\n", warning);
        found += write_xl_cfg(read.guest);
        auto expected = entry.path();
        expected.replace_extension(".expected");
        if (std::getenv("VPROV_ACCEPT"))
            os::write_file(expected, found);
        EXPECT_EQ(found, os::read_file(expected)) << entry.path();
        for (const auto dialect : {Dialect::xl, Dialect::xm})
            EXPECT_EQ(read_xl_cfg(write_xl_cfg(read.guest, dialect), "again").guest, read.guest) << entry.path();
    }
    EXPECT_GE(seen, 25);
}

TEST(ReadXlCfg, ReadsTheMainConfiguration) {
    const auto read =
        read_xl_cfg(os::read_file(std::filesystem::path(VPROV_TEST_DATA) / "cfg" / "debian1.cfg"), "debian1.cfg");
    Guest expected;
    expected.name = "debian1";
    expected.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    expected.type = GuestType::pvh;
    expected.kernel = "/srv/vprov/out/debian1/vmlinuz";
    expected.ramdisk = "/srv/vprov/out/debian1/initrd.img";
    expected.cmdline = "root=UUID=0d3e2c1b-0000-4000-8000-000000000001 ro console=hvc0";
    expected.memory_mib = 512;
    expected.vcpus = 2;
    expected.disks = {{"/srv/vprov/out/debian1/root.img", DiskFormat::raw, "xvda1", true, false},
                      {"/srv/vprov/out/debian1/swap.img", DiskFormat::raw, "xvda2", true, false}};
    expected.interfaces = {{"aa:00:00:12:23:34", "bridge0", "", {}}};
    EXPECT_EQ(read.guest, expected);
    EXPECT_TRUE(read.warnings.empty());
}

TEST(ReadXlCfg, WarnsOfUnknownKeysOnceInTheirOrder) {
    const auto read = read_xl_cfg("name='a'\nnics=1\ndhcp='on'\nnics=2\nmemroy=5\ncpus='all'\n", "x.cfg");
    EXPECT_EQ(read.warnings,
              (std::vector<std::string>{"x.cfg:3: 'dhcp' is not understood", "x.cfg:4: 'nics' is not understood",
                                        "x.cfg:5: 'memroy' is not understood (did you mean 'memory'?)"}));
}

TEST(ReadXlCfg, PointsAtGrammarErrors) {
    const auto at = [](int line, std::string_view cause) {
        return fmt::format("x.cfg:{}: cannot read the configuration: {}", line, cause);
    };
    EXPECT_EQ(error_of("name=web\n"), at(1, "the value 'web' of 'name' must stand in quotes"));
    EXPECT_EQ(error_of("\nname='web\nmemory=5"), at(2, "the string that begins with ''web' does not end on its line"));
    EXPECT_EQ(error_of("name='a'\ndisk=['a',\n'b'\n"), at(4, "the list that begins in line 2 is not closed"));
    EXPECT_EQ(error_of("disk=['a' 'b']"), at(1, "expected ',' or ']', found the string 'b'"));
    EXPECT_EQ(error_of("disk=['a',,'b']"), at(1, "expected a string, a number or a list, found ','"));
    EXPECT_EQ(error_of("name='a' memory=5"),
              at(1, "expected a new line or ';' after the value, found the word 'memory'"));
    EXPECT_EQ(error_of("name\n='a'"), at(1, "expected '=' after 'name', found the end of the line"));
    EXPECT_EQ(error_of("='a'"), at(1, "expected a key, found '='"));
    EXPECT_EQ(error_of("Name='a'"), at(1, "keys are in lower case, and text stands in quotes"));
    EXPECT_EQ(error_of("name='a'\r\n"),
              at(1, "the line ends with a carriage return; save the file with Unix line ends"));
    EXPECT_EQ(error_of("name='a' % b"), at(1, "'%' has no meaning here (only strings in quotes, numbers and [lists])"));
    EXPECT_EQ(error_of("name='\\xg1'"), at(1, R"(a backslash in a string must be written '\\')"));
    EXPECT_EQ(error_of("disk=['a']\ndisk+='b'"), at(2, "'disk' is a list, and a string cannot be added to it"));
    EXPECT_EQ(error_of("memory=-1"), at(1, "'-' has no meaning here (only strings in quotes, numbers and [lists])"));
    EXPECT_EQ(error_of("a=" + std::string(40, '[')), at(1, "lists are nested deeper than 32"));
}

TEST(ReadXlCfg, ReadsPythonAsFarAsItIsData) {
    const auto value = [](std::string_view text) {
        const auto entries = parse_python_cfg(text, "x.cfg");
        const auto& last = entries.at("z").value;
        if (last.text())
            return *last.text();
        std::string out;
        for (const auto& item : *last.list()) out += "[" + (item.text() ? *item.text() : "list") + "]";
        return out;
    };
    EXPECT_EQ(value(R"(z = 'a' + "b")"), "ab");
    EXPECT_EQ(value(R"(z = '\x41\101\u00e9\q\\\n')"), "AA\u00e9\\q\\\n");
    EXPECT_EQ(value(R"(z = r'a\n')"), "a\\n");
    EXPECT_EQ(value("z = \"\"\"a\n\"b\"\"\""), "a\n\"b");
    EXPECT_EQ(value("y = 5; z = 'vm%d %s %%' % (y, 'x')"), "vm5 x %");
    EXPECT_EQ(value("z = ('a', 'b',)"), "[a][b]");
    EXPECT_EQ(value("z = ('a')"), "a");
    EXPECT_EQ(value("z = ['a'] + \\\n  [ # more\n 'b' ]"), "[a][b]");
    EXPECT_EQ(value("z = ['a']\nz += ['b']"), "[a][b]");
    EXPECT_EQ(value("from os import *\nz = True"), "1");
    EXPECT_EQ(value("z = -0x1f"), "-0x1f");
    EXPECT_EQ(value("Z = 'a'\nz = Z"), "a");
    EXPECT_THROW(value("z = None"), std::out_of_range);
}

TEST(ReadXlCfg, RunsNoPython) {
    const auto error_in = [](std::string_view text) -> std::string {
        try {
            parse_python_cfg(text, "x.cfg");
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    };
    const auto at = [](int line, std::string_view cause) {
        return fmt::format("x.cfg:{}: cannot read the configuration: {}", line, cause);
    };
    EXPECT_EQ(error_in("\narch = os.uname()[4]\n"),
              at(2, "'os' has no value here: it is a program's, and only assignments are read"));
    EXPECT_EQ(error_in("if True:\n  a = 1\n"), at(1, "'if' is a program's, and only assignments are read"));
    EXPECT_EQ(error_in("a = 'x'\nb = a[0]"),
              at(2, "'a' has no value here: it is a program's, and only assignments are read"));
    EXPECT_EQ(error_in("a = [ 'x' 'y' ]"), at(1, "',' or ']' is wanted before '''"));
    EXPECT_EQ(error_in("a = 'x''y'"), at(1, "two strings stand side by side; is a comma missing?"));
    EXPECT_EQ(error_in("a = [\n'x',\n"), at(1, "the list that begins here is not closed"));
    EXPECT_EQ(error_in("a = \n"), at(1, "a value is wanted before the end of the line"));
    EXPECT_EQ(error_in("a = 'x' + ['y']"), at(1, "a list and a string cannot be added"));
    EXPECT_EQ(error_in("a = '%f' % 5"), at(1, "'%f' with '%' is not understood: only %s and %d are"));
    EXPECT_EQ(error_in("a = '''x\n\ny"), at(1, "the string that begins with 'x\\n\\ny' does not end"));
    EXPECT_EQ(error_in("a = 5 6"), at(1, "the value of 'a' goes on in a way that is not understood"));
    EXPECT_EQ(error_in("a = " + std::string(40, '(')), at(1, "brackets are nested deeper than 32"));
}

TEST(ReadXlCfg, SaysWhatXlWouldNotTake) {
    const auto read = read_xl_cfg("name = 'a'\nvcpus = 2\nextra = 'x' + 'y'\n", "x.cfg");
    EXPECT_EQ(read.warnings, (std::vector<std::string>{
                                 "x.cfg:3: cannot read the configuration: '+' has no meaning here (only strings in "
                                 "quotes, numbers and [lists]) (xl would not take it; read as xm's Python)"}));
    EXPECT_EQ(read.guest.cmdline, "xy");
    EXPECT_EQ(
        error_of("name = 'a'\nextra = 'x' + 'y'\n\nvcpus = os.cpus()\n"),
        "x.cfg:4: cannot read the configuration: 'os' has no value here: it is a program's, and only assignments are "
        "read");
}

TEST(ReadXlCfg, PointsAtImpossibleValues) {
    EXPECT_EQ(error_of(""), "x.cfg:1: cannot read the domain: it has no name (name=\"...\")");
    EXPECT_EQ(error_of("\nname='a\"b'"),
              "x.cfg:2: cannot use the name 'a\"b': letters, digits and . _ + - only, at most 63, a "
              "letter or digit first");
    EXPECT_EQ(error_of("name='a\\nb'"),
              "x.cfg:1: cannot use the name 'a\\nb': letters, digits and . _ + - only, at most 63, a "
              "letter or digit first");
    EXPECT_EQ(error_of("name='a'\nmemory='12k'"), "x.cfg:2: cannot use 'memory': '12k' is not a number");
    EXPECT_EQ(error_of("name='a'\nmemory=08"), "x.cfg:2: cannot use 'memory': '08' is not a number");
    EXPECT_EQ(error_of("name='a'\nmemory=0"), "x.cfg:2: cannot use 'memory': 0 is not between 1 and 16777216");
    EXPECT_EQ(error_of("name='a'\nvcpus=[2]"), "x.cfg:2: cannot use 'vcpus': a list is not a number");
    EXPECT_EQ(error_of("name='a'\nmemory=512\nmaxmem=256"),
              "x.cfg:3: cannot use 'maxmem': 256 is less than the memory of 512");
    EXPECT_EQ(error_of("name='a'\nbuilder='linux'"),
              "x.cfg:2: cannot use 'builder': 'linux' is neither 'hvm' nor 'generic'; "
              "write type=\"pv\", \"pvh\" or \"hvm\"");
    EXPECT_EQ(error_of("name='a'\ntype='xen'"), "x.cfg:2: cannot use 'type': 'xen' is none of pv, pvh, hvm");
    EXPECT_EQ(error_of("name='a'\nboot='cx'"), "x.cfg:2: cannot use 'boot': 'cx' has other letters than a, c, d, n");
    EXPECT_EQ(error_of("name='a'\nuuid='1234'"), "x.cfg:2: cannot use 'uuid': '1234' is not 8-4-4-4-12 hex digits");
    EXPECT_EQ(error_of("name='a'\non_crash='soft-reset'"),
              "x.cfg:2: cannot use 'on_crash': 'soft-reset' is none of destroy, restart, rename-restart, preserve, "
              "coredump-destroy, coredump-restart");
    EXPECT_EQ(error_of("name='a'\ndisk='phy:/a,xvda,w'"),
              "x.cfg:2: cannot use 'disk': it is a string, and a list is needed: disk = [ \"...\" ]");
    EXPECT_EQ(error_of("name='a'\ndisk=[\n'phy:/a,xvda,w',\n'/b,xvdb,w']"),
              "x.cfg:4: cannot read the disk '/b,xvdb,w': the format 'xvdb' is not known (raw, qcow, qcow2, vhd, qed)");
    EXPECT_EQ(error_of("name='a'\nvif=['mac=aa:bb']"),
              "x.cfg:2: cannot read the vif 'mac=aa:bb': 'aa:bb' is not a MAC address (six pairs of hex digits, with "
              "':' between)");
}

TEST(ReadXlCfg, KeepsWhatXlKnows) {
    const auto read = read_xl_cfg(
        "name='a'\nbootloader='pygrub'\nbootloader_args=['--offset=1']\npci=['01:00.0','02:00.0']\nacpi=1\n"
        "viridian='1'\nvnuma=[['pnode=0']]\ndevice_model='/usr/lib/xen/bin/qemu-dm'\n",
        "x.cfg");
    EXPECT_EQ(read.warnings,
              (std::vector<std::string>{"x.cfg:7: 'vnuma' is not kept: lists in a list are not understood"}));
    EXPECT_EQ(read.guest.bootloader, "pygrub");
    EXPECT_EQ(read.guest.bootloader_args, std::vector<std::string>{"--offset=1"});
    const std::map<std::string, GuestOption> other = {
        {"pci", std::vector<std::string>{"01:00.0", "02:00.0"}}, {"acpi", "1"}, {"viridian", "1"}};
    EXPECT_EQ(read.guest.other, other);
    for (const auto dialect : {Dialect::xl, Dialect::xm})
        EXPECT_EQ(read_xl_cfg(write_xl_cfg(read.guest, dialect), "again").guest, read.guest);
}

TEST(ReadXlCfg, Display) {
    const auto guest =
        read_xl_cfg(
            "name='a'\nbuilder='hvm'\nkernel='/usr/lib/xen/boot/hvmloader'\nvnc=1\nsdl=0\n"
            "vnclisten='127.0.0.1:3'\nvncpasswd='secret'\nvncunused=0\nkeymap='de'\nstdvga=1\nvideoram=16\n"
            "usb=1\nusbdevice='tablet'\nserial='pty'\nfirmware='ovmf'\nvprov_agent=1\n",
            "x.cfg")
            .guest;
    EXPECT_EQ(guest.kernel, "");
    EXPECT_TRUE(guest.vnc && guest.usb && !guest.sdl && guest.agent);
    EXPECT_EQ(guest.vnclisten, "127.0.0.1");
    EXPECT_EQ(guest.vncdisplay, 3U);
    EXPECT_EQ(guest.vncpasswd, "secret");
    EXPECT_EQ(guest.vncunused, false);
    EXPECT_EQ(guest.keymap, "de");
    EXPECT_EQ(guest.screen, Screen::standard);
    EXPECT_EQ(guest.videoram_mib, 16U);
    EXPECT_EQ(guest.usbdevices, std::vector<std::string>{"tablet"});
    EXPECT_EQ(guest.serial, std::vector<std::string>{"pty"});
    EXPECT_EQ(guest.firmware, Firmware::uefi);
    for (const auto dialect : {Dialect::xl, Dialect::xm})
        EXPECT_EQ(read_xl_cfg(write_xl_cfg(guest, dialect), "again").guest, guest);
    EXPECT_EQ(without_secrets(guest).vncpasswd, std::nullopt);
    EXPECT_EQ(read_xl_cfg("name='a'\nvnclisten='::1'\n", "x").guest.vnclisten, "::1");
    EXPECT_EQ(read_xl_cfg("name='a'\nvnclisten='[::1]:2'\n", "x").guest.vncdisplay, 2U);
    EXPECT_EQ(error_of("name='a'\nvnclisten='0.0.0.0:x'\n"),
              "x.cfg:2: cannot use 'vnclisten': 'x' is not the number of a display");
    EXPECT_EQ(error_of("name='a'\nvga='vga'\n"),
              "x.cfg:2: cannot use 'vga': 'vga' is none of none, stdvga, cirrus, qxl");
    EXPECT_EQ(
        error_of("name='a'\nfirmware='efi'\n"),
        "x.cfg:2: cannot use 'firmware': 'efi' is none of bios, uefi, seabios, rombios, ovmf, pvgrub32, pvgrub64, "
        "and no path");
}

TEST(ReadXlCfg, SurvivesEveryTruncationOfTheCorpus) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(VPROV_TEST_DATA) / "cfg")) {
        const auto text = os::read_file(entry.path());
        for (std::size_t size = 0; size <= text.size(); ++size) {
            try {
                read_xl_cfg(std::string_view(text).substr(0, size), "cut");
            } catch (const Error& e) {
                EXPECT_TRUE(e.message().starts_with("cut:")) << e.message();
            }
        }
    }
}

}  // namespace
}  // namespace vprov::hypervisor
