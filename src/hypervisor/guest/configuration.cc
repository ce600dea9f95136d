#include "hypervisor/guest/configuration.h"

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

Configuration cfg(const Guest& guest, Dialect dialect) {
    auto text = write_xl_cfg(guest, dialect);
    const auto back = read_xl_cfg(text, guest.name + ".cfg");
    if (!(back.guest == guest) || !back.warnings.empty())
        throw error(ErrorKind::internal, "internal error: the configuration of {} does not read back as it was meant",
                    quote(guest.name));
    return {std::move(text), {}};
}

}  // namespace

Configuration configuration_of(const Guest& guest, Format format) {
    return cfg(guest, format == Format::xm ? Dialect::xm : Dialect::xl);
}

std::string configuration_name(const Guest& guest, Format format) {
    return guest.name + (format == Format::xl || format == Format::xm ? ".cfg" : ".xml");
}

}  // namespace vprov::hypervisor
