// The configurations of an article of 2007, value for value, from the recipes that stand for them.
#include <gtest/gtest.h>

#include "base/text.h"
#include "facts.h"
#include "hypervisor/guest/cfg_text.h"

namespace vprov::plan {
namespace {
using hypervisor::Format;

Plan listing(const std::string& name) {
    const auto file = std::filesystem::path(VPROV_SOURCE_DIR) / "recipes" / (name + ".toml");
    return make_plan(recipe::read(file), plain_facts({kRemovedKeyring}), {"/out", "/cache", HostFiles::not_wanted});
}

// "name=debian1 ... disk=[a | b]" of the keys that are asked for, in their order.
std::string values(const std::string& text, std::initializer_list<const char*> keys) {
    const auto entries = hypervisor::parse_cfg_text(text, "listing");
    std::string out;
    for (const auto* key : keys) {
        const auto entry = entries.find(key);
        out += fmt::format("{}{}=", out.empty() ? "" : "\n", key);
        if (entry == entries.end()) {
            out += "(absent)";
        } else if (const auto* text_value = entry->second.value.text()) {
            out += *text_value;
        } else {
            std::vector<std::string> items;
            for (const auto& item : *entry->second.value.list()) items.push_back(*item.text());
            out += fmt::format("[{}]", joined(items, " | "));
        }
    }
    return out;
}

TEST(Listings, EtchInTheOldSpelling) {
    const auto text = configuration_of(guest_of(listing("etch-listing1")), Format::xm).text;
    EXPECT_EQ(values(text, {"name", "hostname", "kernel", "ramdisk", "memory", "vcpus", "vif", "disk", "cdrom", "root",
                            "extra", "type", "builder"}),
              "name=debian1\n"
              "hostname=debian1\n"
              "kernel=/boot/vmlinuz-2.6.18-3-xen-686\n"
              "ramdisk=/boot/initrd.img-2.6.18-3-xen-686\n"
              "memory=512\n"
              "vcpus=1\n"
              "vif=[mac=aa:00:00:12:23:34, bridge=bridge0]\n"
              "disk=[phy:/dev/hda3,hda1,w | phy:/dev/hda5,hda2,w]\n"
              "cdrom=/dev/cdrom\n"
              "root=/dev/hda1\n"
              "extra=(absent)\n"
              "type=(absent)\n"
              "builder=(absent)");
}

TEST(Listings, EtchInTodaysSpelling) {
    const auto text = configuration_of(guest_of(listing("etch-listing1")), Format::xl).text;
    EXPECT_EQ(
        values(text, {"name", "hostname", "type", "kernel", "ramdisk", "cmdline", "memory", "vcpus", "vif", "disk"}),
        "name=debian1\n"
        "hostname=debian1\n"
        "type=pv\n"
        "kernel=/boot/vmlinuz-2.6.18-3-xen-686\n"
        "ramdisk=/boot/initrd.img-2.6.18-3-xen-686\n"
        "cmdline=root=/dev/hda1\n"
        "memory=512\n"
        "vcpus=1\n"
        "vif=[mac=aa:00:00:12:23:34,bridge=bridge0]\n"
        "disk=[format=raw,vdev=hda1,access=rw,target=/dev/hda3 | "
        "format=raw,vdev=hda2,access=rw,target=/dev/hda5 | "
        "format=raw,vdev=hdc,access=ro,devtype=cdrom,target=/dev/cdrom]");
}

TEST(Listings, WindowsInTheOldSpelling) {
    const auto text = configuration_of(guest_of(listing("windows")), Format::xm).text;
    EXPECT_EQ(values(text, {"builder", "memory", "disk", "vif", "boot", "vnc", "sdl", "kernel", "cdrom"}),
              "builder=hvm\n"
              "memory=512\n"
              "disk=[phy:/dev/hda3,ioemu:hda,w | file:/root/wincd.iso,ioemu:hdc:cdrom,r]\n"
              "vif=[type=ioemu, bridge=xenbr0]\n"
              "boot=d\n"
              "vnc=1\n"
              "sdl=0\n"
              "kernel=(absent)\n"
              "cdrom=(absent)");
}

TEST(Listings, WindowsInTodaysSpelling) {
    const auto text = configuration_of(guest_of(listing("windows")), Format::xl).text;
    EXPECT_EQ(values(text, {"type", "memory", "disk", "vif", "boot", "vnc", "vnclisten", "sdl"}),
              "type=hvm\n"
              "memory=512\n"
              "disk=[format=raw,vdev=hda,access=rw,target=/dev/hda3 | "
              "format=raw,vdev=hdc,access=ro,devtype=cdrom,target=/root/wincd.iso]\n"
              "vif=[type=ioemu,bridge=xenbr0]\n"
              "boot=d\n"
              "vnc=1\n"
              "vnclisten=127.0.0.1\n"
              "sdl=0");
}

// Either spelling is read as the same guest.
TEST(Listings, BothSpellingsMeanTheSame) {
    for (const auto* name : {"etch-listing1", "windows"}) {
        const auto guest = guest_of(listing(name));
        for (const auto dialect : {hypervisor::Dialect::xl, hypervisor::Dialect::xm})
            EXPECT_EQ(hypervisor::read_xl_cfg(write_xl_cfg(guest, dialect), name).guest, guest) << name;
    }
}

}  // namespace
}  // namespace vprov::plan
