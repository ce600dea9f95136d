// Text helpers for messages and for files of the Debian world. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vprov {

std::string_view trimmed(std::string_view text);                             // no blanks, tabs, newlines at the ends
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts; "" gives {""}
std::vector<std::string_view> split_words(std::string_view text);            // at any white space; no empty parts
std::string joined(std::span<const std::string> parts, std::string_view between);

// 'text' in single quotes, control characters shown as \n, \t or \xNN: for messages, one line whatever comes in.
std::string quote(std::string_view text);

// A word as a POSIX shell reads it back: bare where that is safe, single-quoted otherwise. For display only:
// commands are run from argv and never through a shell.
std::string shell_quote(std::string_view word);
std::string shell_line(std::span<const std::string> argv);

// The candidate nearest to `word` by edit distance, or "" if none is near enough to be what was meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// The last `count` lines of `text`, without a trailing newline.
std::string_view last_lines(std::string_view text, std::size_t count);

}  // namespace vprov
