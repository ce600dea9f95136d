// Xen's own parser beside ours: where it accepts a plain string, number, list or disk, so do we, with the same value.
extern "C" {
#include <libxl.h>
#include <libxlutil.h>
}

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "fuzz/expect.h"
#include "hypervisor/guest/cfg_text.h"
#include "hypervisor/guest/cfg_values.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() {
    return 1;  // libxlutil 4.17 keeps what it read before a mistake
}

namespace {
using namespace vprov;
using namespace vprov::hypervisor;

struct CloseFile {
    void operator()(FILE* file) const { std::fclose(file); }
};
struct DestroyConfig {
    void operator()(XLU_Config* config) const { xlu_cfg_destroy(config); }
};

void check_disk(XLU_Config* config, const std::string& spec) {
    if (spec.find("trusted") != std::string::npos || spec.find("grant_usage") != std::string::npos)
        return;  // flags of a later Xen, names of files to this one
    if (spec.find("=,") != std::string::npos || spec.ends_with('='))
        return;  // xl takes an unknown key without a value for a file of that name
    libxl_device_disk disk;
    libxl_device_disk_init(&disk);
    const char* const one = spec.c_str();
    if (xlu_disk_parse(config, 1, &one, &disk) == 0 && disk.vdev && *disk.vdev) {
        const auto ours = parse_disk_spec(spec);
        EXPECT_THAT(ours.vdev == disk.vdev);
        EXPECT_THAT(ours.target == (disk.pdev_path ? disk.pdev_path : ""));
        EXPECT_THAT(name_in(kFormatNames, ours.format) == libxl_disk_format_to_string(disk.format));
        EXPECT_THAT(ours.writable == (disk.readwrite != 0));
        EXPECT_THAT(ours.cdrom == (disk.is_cdrom != 0));
        EXPECT_THAT(ours.script == (disk.script ? disk.script : ""));
    }
    libxl_device_disk_dispose(&disk);
}

void check_number(XLU_Config* config, const std::string& key, const std::string& text) {
    long value = 0;
    if (xlu_cfg_get_long(config, key.c_str(), &value, 1) != 0 || value < 0)
        return;
    const auto ours = parse_number(text);
    EXPECT_THAT(!ours || *ours == static_cast<std::uint64_t>(value));
    const bool is_plain = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    EXPECT_THAT(ours || !is_plain || text.front() == '0');
}

void check_entry(XLU_Config* config, const std::string& key, const CfgEntry& entry) {
    if (const auto* text = entry.value.text()) {
        const char* theirs = nullptr;
        EXPECT_THAT(xlu_cfg_get_string(config, key.c_str(), &theirs, 1) == 0);
        EXPECT_THAT(*text == theirs);
        return check_number(config, key, *text);
    }
    XLU_ConfigList* list = nullptr;
    int count = 0;
    EXPECT_THAT(xlu_cfg_get_list(config, key.c_str(), &list, &count, 1) == 0);
    const auto& ours = *entry.value.list();
    EXPECT_THAT(static_cast<std::size_t>(count) == ours.size());
    for (int i = 0; i < count; ++i) {
        const char* theirs = xlu_cfg_get_listitem(list, i);
        const auto* text = ours[static_cast<std::size_t>(i)].text();
        EXPECT_THAT((theirs != nullptr) == (text != nullptr));
        if (!theirs)
            continue;
        EXPECT_THAT(*text == theirs);
        if (key == "disk")
            check_disk(config, *text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(reinterpret_cast<const char*>(data), size);
    // Known differences: xl's numeric escapes are broken, and its strings end at a NUL.
    if (text.find('\\') != std::string::npos || text.find('\0') != std::string::npos)
        return 0;
    text += '\n';  // xl's parser takes what is no token on a last line that does not end
    const std::unique_ptr<FILE, CloseFile> report(std::fopen("/dev/null", "w"));
    const std::unique_ptr<XLU_Config, DestroyConfig> config(xlu_cfg_init(report.get(), "f"));
    if (xlu_cfg_readdata(config.get(), text.data(), static_cast<int>(text.size())) != 0)
        return 0;
    std::map<std::string, CfgEntry> ours;
    try {
        ours = parse_cfg_text(text, "f");
    } catch (const Error& e) {
        EXPECT_THAT(e.message().find("nested deeper") != std::string::npos);
        return 0;
    }
    for (const auto& [key, entry] : ours) check_entry(config.get(), key, entry);
    return 0;
}
