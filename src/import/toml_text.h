// Writes a recipe's TOML, a table after the other. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::imports {

std::string toml_string(std::string_view text);  // a basic string, in double quotes
std::string toml_list(const std::vector<std::string>& items);

class TomlText {
  public:
    void comment(std::string_view text);
    void table(std::string_view heading);                       // "[domain]", "[[network]]": written with its first key
    void key(std::string_view name, std::string_view value);    // `value` is TOML
    void string(std::string_view name, std::string_view text);  // not written when empty
    void number(std::string_view name, std::uint64_t value) { key(name, std::to_string(value)); }
    void yes(std::string_view name, bool value);                              // written when true
    void list(std::string_view name, const std::vector<std::string>& items);  // not written when empty
    void finish_table();  // writes the heading of a table without keys
    std::string take() { return std::move(text_); }

  private:
    std::string text_, heading_;
};

}  // namespace vprov::imports
