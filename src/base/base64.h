// RFC 4648, 4. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vprov {

std::string encode_base64(std::string_view bytes);  // on one line, padded with "="

}  // namespace vprov
