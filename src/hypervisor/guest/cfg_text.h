// The grammar of xl.cfg(5): assignments of strings, numbers and lists. Pure; knows no key.
//
// Written from xl.cfg(5) and from what Xen 4.17's libxlutil accepts. Deviations, all on the accepting side: a comment
// on the last line needs no newline after it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vprov::hypervisor {

struct CfgValue {
    int line = 0;                                           // where the value begins, from 1
    std::variant<std::string, std::vector<CfgValue>> data;  // a number is kept as its digits, as xl does
    const std::string* text() const { return std::get_if<std::string>(&data); }
    const std::vector<CfgValue>* list() const { return std::get_if<std::vector<CfgValue>>(&data); }
};

struct CfgEntry {
    int line = 0;  // of the last assignment
    CfgValue value;
};

// Every key with its last value; "+=" appends to a list and to a string. Throws Error(hypervisor)
// "FILE:LINE: cannot read the configuration: CAUSE".
std::map<std::string, CfgEntry> parse_cfg_text(std::string_view text, std::string_view file);

}  // namespace vprov::hypervisor
