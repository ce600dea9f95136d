#include "hypervisor/guest/cfg_string.h"

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {

void refuse_to_write(std::string_view what, std::string_view value, std::string_view cause) {
    throw error(ErrorKind::recipe, "cannot write {} {} to the domain configuration: {}", what, quote(value), cause);
}

std::string cfg_string(std::string_view what, std::string_view value) {
    const char mark = value.find('"') == std::string_view::npos ? '"' : '\'';
    if (mark == '\'' && value.find('\'') != std::string_view::npos)
        refuse_to_write(what, value, "it has quotes of both kinds");
    std::string text(1, mark);
    for (const char c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            refuse_to_write(what, value, "it has a control character");
        if (c == '\\')
            text += '\\';
        text += c;
    }
    return text + mark;
}

}  // namespace vprov::hypervisor
