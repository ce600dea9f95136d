// Every configuration of the corpus, and many small ones, through Xen's own parser (libxlutil) and through ours.
#include <gtest/gtest.h>

extern "C" {
#include <libxl.h>
#include <libxlutil.h>
}

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_text.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

class XenConfig {
  public:
    explicit XenConfig(std::string_view text)
        : report_(std::fopen("/dev/null", "w")), config_(xlu_cfg_init(report_, "x")) {
        accepted_ = xlu_cfg_readdata(config_, text.data(), static_cast<int>(text.size())) == 0;
    }
    ~XenConfig() {
        xlu_cfg_destroy(config_);
        std::fclose(report_);
    }
    XenConfig(const XenConfig&) = delete;
    XenConfig& operator=(const XenConfig&) = delete;

    bool accepted() const { return accepted_; }

    std::string shown(const std::string& key) const {
        const char* text = nullptr;
        if (xlu_cfg_get_string(config_, key.c_str(), &text, 1) == 0)
            return text;
        XLU_ConfigList* list = nullptr;
        int count = 0;
        if (xlu_cfg_get_list(config_, key.c_str(), &list, &count, 1) != 0)
            return "(absent)";
        std::string out = "[";
        for (int i = 0; i < count; ++i) {
            const char* item = xlu_cfg_get_listitem(list, i);
            out += fmt::format(" {}", item ? item : "(list)");
        }
        return out + " ]";
    }

    std::string number(const std::string& key) const {
        long value = 0;
        return xlu_cfg_get_long(config_, key.c_str(), &value, 1) == 0 ? std::to_string(value) : "(none)";
    }

    std::string disk(const std::string& spec) const {
        libxl_device_disk disk;
        libxl_device_disk_init(&disk);
        const char* const one = spec.c_str();
        std::string out = "(refused)";
        if (xlu_disk_parse(config_, 1, &one, &disk) == 0)
            out = fmt::format("{} {} {}{} '{}'{}{}", disk.vdev, libxl_disk_format_to_string(disk.format),
                              disk.readwrite ? "rw" : "ro", disk.is_cdrom ? " cdrom" : "",
                              disk.pdev_path ? disk.pdev_path : "",
                              disk.script ? fmt::format(" script={}", disk.script) : "",
                              disk.backend == LIBXL_DISK_BACKEND_UNKNOWN
                                  ? ""
                                  : fmt::format(" {}", libxl_disk_backend_to_string(disk.backend)));
        libxl_device_disk_dispose(&disk);
        return out;
    }

  private:
    FILE* report_;
    XLU_Config* config_;
    bool accepted_ = false;
};

std::string shown(const CfgValue& value) {
    if (value.text())
        return *value.text();
    std::string out = "[";
    for (const auto& item : *value.list()) out += " " + (item.text() ? *item.text() : "(list)");
    return out + " ]";
}

std::string our_disk(const std::string& spec) {
    try {
        const auto disk = parse_disk_spec(spec);
        return fmt::format(
            "{} {} {}{} '{}'{}{}", disk.vdev, name_in(kFormatNames, disk.format), disk.writable ? "rw" : "ro",
            disk.cdrom ? " cdrom" : "", disk.target, disk.script.empty() ? "" : " script=" + disk.script,
            disk.backend == DiskBackend::automatic ? "" : fmt::format(" {}", name_in(kBackendNames, disk.backend)));
    } catch (const Error&) {
        return "(refused)";
    }
}

std::optional<std::map<std::string, CfgEntry>> our_entries(std::string_view text) {
    try {
        return parse_cfg_text(text, "x");
    } catch (const Error&) {
        return std::nullopt;
    }
}

void compare(std::string_view text) {
    const XenConfig xen(text);
    const auto ours = our_entries(text);
    ASSERT_EQ(ours.has_value(), xen.accepted()) << quote(text);
    if (!ours)
        return;
    for (const auto& [key, entry] : *ours) {
        EXPECT_EQ(shown(entry.value), xen.shown(key)) << text;
        if (key != "disk" || !entry.value.list())
            continue;
        for (const auto& item : *entry.value.list()) {
            if (item.text()) {
                EXPECT_EQ(our_disk(*item.text()), xen.disk(*item.text())) << *item.text();
            }
        }
    }
}

template <class Use>
void for_each_configuration(Use use) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(VPROV_TEST_DATA) / "cfg"))
        if (entry.path().extension() == ".cfg" && entry.path().stem() != "python")  // that is xm's only
            use(os::read_file(entry.path()));
}

TEST(AgainstXen, CorpusIsReadAlike) {
    for_each_configuration(compare);
}

TEST(AgainstXen, WhatWeWriteIsReadAlike) {
    for_each_configuration([](const std::string& text) {
        const Guest guest = read_xl_cfg(text, "x").guest;
        const auto written = write_xl_cfg(guest);
        compare(written);
        const XenConfig xen(written);
        EXPECT_TRUE(xen.accepted()) << written;
        EXPECT_EQ(xen.shown("name"), guest.name);
        EXPECT_EQ(xen.number("memory"), std::to_string(guest.memory_mib));
        EXPECT_EQ(xen.number("vcpus"), std::to_string(guest.vcpus));
        EXPECT_EQ(xen.shown("cmdline"), guest.cmdline.empty() ? "(absent)" : guest.cmdline);
    });
}

TEST(AgainstXen, SmallTexts) {
    for (const auto* text : {"name='a'",
                             "name=\"a\\ty\\\\z\"",
                             "name='a\\\"b\\'c'",
                             "name='a\nb'",
                             "name=''",
                             "memory=0x10",
                             "memory=08",
                             "memory=1x",
                             "memory=-1",
                             "Name='x'",
                             "_name='x'",
                             "name='x' memory=5",
                             "name=\n'x'",
                             "disk=['a',,'b']",
                             "disk=[,'a']",
                             "disk=['a' 'b']",
                             "disk=['a',]",
                             "disk=[]",
                             "disk='a'",
                             "disk=['a',['b']]",
                             "disk=['a']\ndisk+=['b']",
                             "name='a'\nname+='b'",
                             "name+='b'",
                             "disk='a'\ndisk+=['b']",
                             "#c\n\nname='a'",
                             "name='a'\r\n",
                             "name='a",
                             "name='a\"b'",
                             "name=web",
                             "name=1",
                             "name='a';;b=3",
                             ";name='a'",
                             "name='a';",
                             "name",
                             "name=",
                             "='a'",
                             "name='a'\n]",
                             "disk=['a'",
                             "memory=5\nmemory=6",
                             "name='a''b'",
                             "name=\"\"\"a\"\"\"",
                             "name=u'x'",
                             "name='a'\\\n\nb=5",
                             "memory=99999999999999999999",
                             "name-x='a'",
                             "a1_b='c'",
                             "disk=[\n\n'a'\n\n,\n'b']",
                             "disk=['a',\n#foo\n]",
                             "disk\n=['x']",
                             "name='a'\f\nb=5",
                             "import os",
                             "name='%s' % x",
                             "name='a'+'b'",
                             "name=('a')",
                             "name={}",
                             "a.b=5",
                             "a=[[[['b']]]]",
                             "a='\\a\\b\\f\\n\\r\\t\\v'",
                             "a='\\q'",
                             "a='\\'",
                             "a='\\",
                             "a=5;b='c'\n#d\ne=[1,0x2,\"3\"]\n",
                             "\t \n"})
        compare(text);
}

// Where we differ, and how: so that a change of either side is seen.
TEST(AgainstXen, KnownDifferences) {
    const std::string comment_at_the_end = "name='a'\n# no newline";
    EXPECT_FALSE(XenConfig(comment_at_the_end).accepted());
    EXPECT_TRUE(our_entries(comment_at_the_end).has_value());
    const std::string octal_escape = "name='\\101'";  // xl 4.17 accepts it and reads something else than 'A'
    EXPECT_TRUE(XenConfig(octal_escape).accepted());
    EXPECT_NE(XenConfig(octal_escape).shown("name"), "A");
    EXPECT_FALSE(our_entries(octal_escape).has_value());
    EXPECT_EQ(XenConfig("").disk("/a,raw,,w"), " raw rw '/a'");  // xl passes a disk without a device on
    EXPECT_EQ(our_disk("/a,raw,,w"), "(refused)");
    EXPECT_EQ(XenConfig("").disk("script=,vdev=xvda,target=/x"), "xvda raw rw '/x' script=");  // and an empty script
    EXPECT_EQ(our_disk("script=,vdev=xvda,target=/x"), "xvda raw rw '/x'");
    EXPECT_EQ(XenConfig("").disk("trusted,raw,xvda,w"), "xvda raw rw 'trusted'");  // a flag of a later Xen
    EXPECT_EQ(our_disk("trusted,raw,xvda,w"), "(refused)");
    EXPECT_FALSE(XenConfig("name='a'\nvcpus=2\n~\n").accepted());
    EXPECT_TRUE(XenConfig("name='a'\nvcpus=2\n~").accepted());  // what is no token, on a line that does not end
    EXPECT_FALSE(our_entries("name='a'\nvcpus=2\n~").has_value());
}

TEST(AgainstXen, DiskSyntaxes) {
    const XenConfig xen("");
    for (const std::string spec : {"phy:/dev/vg/root,xvda1,w",
                                   "file:/a.img,xvda,r",
                                   "tap:aio:/a,xvda,w",
                                   "tap2:vhd:/a,xvda,w",
                                   "tap:qcow2:/a,xvda,w",
                                   "/a,raw,xvda,rw",
                                   "/a,,xvda",
                                   "/a,qcow2,xvda,w",
                                   "/a.iso,raw,hdc:cdrom,r",
                                   ",,hdc,cdrom",
                                   "vdev=hdd,cdrom",
                                   ",hdc:cdrom,r",
                                   "format=raw,vdev=xvda1,access=rw,target=/a,b",
                                   "target=/a,vdev=xvda",
                                   "/a,xvda,w",
                                   "phy:/a,xvda",
                                   "phy:/a",
                                   "vdev=xvda",
                                   "/a,raw,xvda,x",
                                   "/a,raw,xvda,rw!",
                                   "foo=bar,vdev=xvda,target=/x",
                                   "fo=b,vdev=xvda,target=/x",
                                   "format=foo,vdev=a,target=/x",
                                   " format=raw , vdev=xvda, access=rw, target=/x",
                                   "nbd:host:10809,xvda,w",
                                   "tap:tapdisk:aio:/a,xvda,w",
                                   "ioemu:/a,hda,w",
                                   "drbd:res,xvda,w",
                                   "script=block-iscsi,vdev=xvda,target=iqn.x",
                                   "backendtype=phy,vdev=xvda,target=/dev/x",
                                   "/a,raw,xvda,rw,foo",
                                   "xyz:/a,xvda,w",
                                   "xyz:a,raw,xvda,w",
                                   "file:a b.img,xvda,w",
                                   "phy:vg/root,xvda,w",
                                   "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/a.iso",
                                   "vdev=a,vdev=b,target=/x",
                                   "format=raw,format=qcow2,vdev=xvda,target=/x",
                                   "",
                                   "format=empty,vdev=hdc,cdrom",
                                   "discard,vdev=xvda,target=/x",
                                   "no-discard,direct-io-safe,vdev=xvda,target=/x",
                                   "vdev=xvda1,target=/x,",
                                   "format=,vdev=xvda,target=/x",
                                   "access=,vdev=xvda,target=/x",
                                   "file:/a.iso,hdc:cdrom,r",
                                   "file:/a.iso,ioemu:hdc:cdrom,r",
                                   "file:/a,ioemu:hda,w",
                                   "/a:b,raw,xvda",
                                   "a=b,raw,xvda",
                                   "format=qed,vdev=xvda,target=/x",
                                   "FORMAT=raw,vdev=xvda,target=/x",
                                   "/a,raw,xvda,w,cdrom",
                                   "raw:/a,xvda,w",
                                   "raw:/a,qcow2,xvda,w",
                                   "vhd:/a,xvda",
                                   "enbd:/x,xvda",
                                   "/x,raw,xvda, w",
                                   "/x ,raw,xvda,rw",
                                   "format=raw,vdev=xvda,target= /x",
                                   "vdev=xvda,target=",
                                   "backend=dom1,vdev=xvda,target=/x",
                                   "xvda,w",
                                   "/x,raw,xvda:disk,w",
                                   "/x,raw,xvda:foo,w",
                                   "devtype=tape,vdev=xvda,target=/x",
                                   "devtype=disk,vdev=xvda,target=/x",
                                   "specification=xen,vdev=xvda,target=/x",
                                   "access=ro,vdev=xvda,access=rw,target=/x",
                                   ",",
                                   ",,",
                                   "a,,",
                                   ":,raw,xvda",
                                   "raw:,xvda",
                                   "/a,raw,hdc:cdrom",
                                   "cdrom,vdev=hdc,target=/x",
                                   "qcow:/a,xvda,w",
                                   "/a,qcow,xvda,w",
                                   "tap:qcow:/a,xvda,w",
                                   "backendtype=qdisk,vdev=xvda,target=/x",
                                   "backendtype=tap,vdev=xvda,target=/x",
                                   "backendtype=,vdev=xvda,target=/x",
                                   "backendtype=file,vdev=xvda,target=/x",
                                   "backend=,vdev=xvda,target=/x",
                                   "file:/a,xvda,w,backendtype=qdisk,discard",
                                   ",ioemu:hdc:cdrom,r",
                                   "/a, ,xvda"})
        EXPECT_EQ(our_disk(spec), xen.disk(spec)) << spec;
}

}  // namespace
}  // namespace vprov::hypervisor
