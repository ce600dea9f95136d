// Stanza files (deb822(5)): Packages, Release, a .deb's control file, dpkg's status. Pure; views borrow from the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vprov::deb {

struct Field {
    std::string_view name;  // as written; names compare without regard to case
    // Without blanks at either end. Of a multi-line value the lines stay as they are, each after a newline and with its
    // leading blank; where nothing follows the colon (Conffiles, SHA256) it begins with that newline.
    std::string_view value;
    std::string_view text;  // the whole field as it stands in the file, without the last newline
    std::size_t line = 0;   // of the name, counted from 1
};

class Stanza {
  public:
    std::span<const Field> fields() const { return fields_; }
    const Field* field(std::string_view name) const;  // nullptr when there is none
    std::optional<std::string_view> find(std::string_view name) const;
    std::string_view value(std::string_view name) const;  // "" when there is none
    // Throws Error(archive) "cannot read line N: the stanza has no NAME" when it is missing or empty.
    std::string_view required(std::string_view name) const;
    std::size_t line() const { return line_; }       // of the first field, counted from 1
    std::string_view text() const { return text_; }  // all fields; ends in a newline if the file does

  private:
    friend class StanzaReader;
    void clear();
    void append(const Field& field);
    std::vector<Field> fields_;
    std::uint64_t names_seen_ = 0;  // a bit per hash of a name, to notice a second one cheaply
    std::string_view text_;
    std::size_t line_ = 0;
};

// Stanzas are separated by empty lines; a line of blanks inside a value belongs to the value, as for apt.
class StanzaReader {
  public:
    explicit StanzaReader(std::string_view text) : text_(text) {}
    // Reads the next stanza into `stanza`, whose storage is used again; false at the end of the text. Throws
    // Error(archive) "cannot read line N: CAUSE" for a line that is no field, a continuation that continues nothing,
    // or a second field of the same name; the reader cannot be used afterwards.
    bool next(Stanza& stanza);

  private:
    void skip_empty_lines();
    bool at_empty_line() const;
    void read_field(Stanza& stanza);
    std::size_t line_end() const;  // offset of the newline that ends the current line, or the size of the text
    std::string_view text_;
    std::size_t at_ = 0;    // start of a line
    std::size_t line_ = 1;  // its number
};

// For files that are one stanza (control, Release). Throws Error(archive) as StanzaReader, or if there is none or more.
Stanza read_single_stanza(std::string_view text);

// The lines of a multi-line value, without blanks around them; empty ones are left out.
std::vector<std::string_view> value_lines(std::string_view value);

}  // namespace vprov::deb
