// What xl says, as values. Pure. Written after Xen 4.17; the JSON is that of libxl_domain_config (libxl_types.idl).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/engine/engine.h"

namespace vprov::hypervisor {

// The rows of `xl list`. State, times and vCPUs in use are only there: `xl list -l` has the configuration alone. Names
// may be longer than their column; "(null)" is a domain whose name has gone before it. Throws Error(hypervisor).
std::vector<DomainInfo> parse_xl_list(std::string_view text);

struct XlDisk {
    std::string path, vdev;  // path "" for an empty CD drive
    bool writable = false;
    bool operator==(const XlDisk&) const = default;
};

struct XlDetails {
    std::string name, type;  // type: "pv", "pvh" or "hvm"
    std::vector<XlDisk> disks;
};

// Of `xl list -l`, by domain id. Throws Error(hypervisor) for what is no such JSON.
std::map<unsigned, XlDetails> parse_xl_details(std::string_view json);

// "config" of this domain in what `xl list -l` says; "{}" when it has ended. Throws Error(hypervisor) for no such JSON.
std::string xl_configuration(std::string_view json, unsigned id);

// Why xl failed, in a phrase, from its standard error: its own sentences without their places in libxl's source, the
// most telling first; "exit status N" when it said nothing.
std::string cause_of_xl_failure(std::string_view errors, int status);

}  // namespace vprov::hypervisor
