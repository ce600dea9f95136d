// URLs of files in a repository. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vprov::archive {

// "http://host/debian" and "pool/main/g/g++_1%3a2.deb" give "http://host/debian/pool/main/g/g%2b%2b_1%253a2.deb":
// leading "./" and "/" are dropped and `path` is encoded but for unreserved characters (RFC 3986, 2.3) and slashes. As
// apt does, "+" is encoded too: some object stores read it as a blank.
std::string url_of(std::string_view uri, std::string_view path);

std::string_view without_trailing_slashes(std::string_view uri);

// "http://user:secret@host/x" without the secret: for messages.
std::string shown_url(std::string_view url);

}  // namespace vprov::archive
