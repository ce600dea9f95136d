// What is read can be written in every format, or is refused, and is read back as the same guest: each key with values
// that mean something to some reader, alone and together with others.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
#include <random>

#include "base/error.h"
#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/configuration.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

constexpr auto kValues =
    std::to_array<std::string_view>({"",           " ",         "0",       "1",         "007",
                                     "0x10",       "a",         "a ",      " a",        "a b",
                                     "a  b ",      "a,b",       ",",       "a,",        "a=b",
                                     "=",          ":",         "::",      ":1",        "a:1",
                                     "a:b]:5",     "a:]:5",     "[a:b]:5", "[::1]:2",   "[::1]",
                                     "::1",        "]:1",       "[:1",     "[a]:b]:3",  "phy:/x",
                                     "file:cdrom", "cdrom",     "discard", "root=",     "root=a",
                                     "root=a b",   "root=a b ", "root= b", "root=a  b", "hvmloader",
                                     "/hvmloader", "hvm",       "pv",      "vnc",       "/f",
                                     "/dev/x",     "uefi",      "none",    "stdvga",    "aa:00:00:12:23:34",
                                     "10Mb/s",     "tablet",    "nbd:h:1", "target=a",  "xvda",
                                     "\t"});

constexpr std::array<std::string_view, 24> kDisks = {"{},raw,xvda,w",
                                                     "phy:{},xvda,w",
                                                     "file:{},hdc:cdrom,r",
                                                     "tap:qcow2:{},xvda,w",
                                                     "{},,hda,r",
                                                     ",hdc:{},r",
                                                     "format=raw,vdev=xvda,target={}",
                                                     "format=qcow2,vdev=xvda,access=ro,target={}",
                                                     "format=vhd,vdev=hda,target={}",
                                                     "format=qed,vdev=xvda,target={}",
                                                     "format={},vdev=xvda,target=/f",
                                                     "vdev=hdc,cdrom,target={}",
                                                     "vdev=hdc,devtype=cdrom,format=qcow2,target={}",
                                                     "vdev={},target=/f",
                                                     "vdev=xvda,script={},target=/f",
                                                     "vdev=xvda,script=block-{},target=/f",
                                                     "vdev=xvda,script=block-nbd,target={}",
                                                     "vdev=xvda,format=qcow2,script=block-nbd,target={}",
                                                     "vdev=xvda,backend={},target=/f",
                                                     "vdev=xvda,backendtype={},target=/f",
                                                     "vdev=xvda,access={},target=/f",
                                                     "vdev=xvda,backendtype=phy,discard,target={}",
                                                     "vdev=xvda,no-discard,direct-io-safe,target={}",
                                                     "nbd:{},xvda,w"};

constexpr std::array<std::string_view, 8> kVifs = {
    "mac={}", "bridge={}, model={}", "ip={},rate={}", "script={}", "type={}", "{}", "devid={}", "vifname={},mtu={}"};
constexpr std::array<std::string_view, 6> kFramebuffers = {"vnc=1,vnclisten={}",     "vnc=1,vncdisplay={}",
                                                           "type=vnc, vncpasswd={}", "sdl=1,keymap={}",
                                                           "vnc={},vncunused={}",    "type={}"};

std::string literal(std::string_view value) {
    return fmt::format("\"{}\"", value == "\t" ? std::string_view("\\t") : value);
}

std::string with(std::string_view pattern, std::string_view value) {
    return fmt::format(fmt::runtime(pattern), value, value);
}

// Every line that a configuration may have, as far as these tests go.
std::vector<std::string> all_lines() {
    std::vector<std::string> lines;
    const auto used = used_cfg_keys();
    std::vector<std::string_view> keys(used.begin(), used.end());
    for (const std::string_view kept : {"localtime", "pci", "acpi", "cpus", "spicepasswd"}) keys.push_back(kept);
    for (const auto value : kValues) {
        for (const auto key : keys) {
            if (key == "name")
                continue;
            lines.push_back(fmt::format("{} = {}\n", key, literal(value)));
            lines.push_back(fmt::format("{} = [ {} ]\n", key, literal(value)));
            lines.push_back(fmt::format("{} = [ {}, \"x\" ]\n", key, literal(value)));
        }
        for (const auto disk : kDisks) lines.push_back(fmt::format("disk += [ {} ]\n", literal(with(disk, value))));
        for (const auto vif : kVifs) lines.push_back(fmt::format("vif += [ {} ]\n", literal(with(vif, value))));
        for (const auto vfb : kFramebuffers) lines.push_back(fmt::format("vfb += [ {} ]\n", literal(with(vfb, value))));
    }
    return lines;
}

// "" when the guest of `text` comes back from every format that can hold it; true in `is_guest` when there is one.
std::string difference(const std::string& text, bool& is_guest) {
    ReadGuest read;
    try {
        read = read_xl_cfg(text, "f");
    } catch (const Error&) {
        return "";
    }
    is_guest = true;
    for (const auto format : {Format::xl, Format::xm, Format::libvirt_xen, Format::libvirt_kvm, Format::libvirt_qemu}) {
        try {
            configuration_of(read.guest, format);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::recipe)
                return fmt::format("format {}: {}", static_cast<int>(format), e.message());
        }
    }
    return "";
}

TEST(RoundTrip, EachLineAlone) {
    std::size_t guests = 0;
    for (const auto& line : all_lines())
        for (const std::string_view type : {"", "type = \"pvh\"\n", "type = \"hvm\"\n"}) {
            const auto text = fmt::format("name = \"a\"\n{}{}", type, line);
            bool is_guest = false;
            ASSERT_EQ(difference(text, is_guest), "") << text;
            guests += is_guest ? 1 : 0;
        }
    EXPECT_GT(guests, 5000U);
}

TEST(RoundTrip, LinesTogether) {
    auto lines = all_lines();
    std::erase_if(lines, [](const std::string& line) {
        bool is_guest = false;
        difference("name = \"a\"\n" + line, is_guest);
        return !is_guest;
    });
    std::mt19937 random(1);
    std::size_t guests = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string text = "name = \"a\"\n";
        for (int j = 0; j < 4; ++j) text += lines[random() % lines.size()];
        bool is_guest = false;
        ASSERT_EQ(difference(text, is_guest), "") << text;
        guests += is_guest ? 1 : 0;
    }
    EXPECT_GT(guests, 5000U);
}

}  // namespace
}  // namespace vprov::hypervisor
