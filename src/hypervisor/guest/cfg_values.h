// The values of a configuration by their keys, as the types that are wanted. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/cfg_text.h"

namespace vprov::hypervisor {

// Decimal, octal after 0, hexadecimal after 0x, as strtol(3) with base 0. Nothing for what is no number, or negative.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Every function throws Error(hypervisor) "FILE:LINE: cannot use 'KEY': ..." for a value that it cannot take.
class CfgValues {
  public:
    CfgValues(std::map<std::string, CfgEntry> entries, std::string_view file)
        : entries_(std::move(entries)), file_(file) {}

    const std::map<std::string, CfgEntry>& entries() const { return entries_; }
    const CfgEntry* find(const std::string& key) const;
    int line_of(const std::string& key) const;  // 1 when it is not there

    std::string string(const std::string& key) const;  // "" when it is not there
    std::optional<std::string> optional_string(const std::string& key) const;
    std::vector<std::string> strings(const std::string& key) const;  // of a list; a string alone is a list of one
    std::uint64_t number(const std::string& key, std::uint64_t if_absent, std::uint64_t least,
                         std::uint64_t most) const;
    bool flag(const std::string& key) const;  // a number other than 0

    [[noreturn]] void fail(int line, const std::string& cause) const;
    std::string at(int line) const;  // "FILE:LINE"

  private:
    std::map<std::string, CfgEntry> entries_;
    std::string file_;
};

}  // namespace vprov::hypervisor
