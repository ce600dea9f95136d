#include "hypervisor/guest/configuration.h"

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/libvirt_xml.h"

namespace vprov::hypervisor {
namespace {

void check(const Guest& guest, const ReadGuest& back) {
    if (!(back.guest == guest) || !back.warnings.empty())
        throw error(ErrorKind::internal, "internal error: the configuration of {} does not read back as it was meant",
                    quote(guest.name));
}

Configuration cfg(const Guest& guest, Dialect dialect) {
    auto text = write_xl_cfg(guest, dialect);
    check(guest, read_xl_cfg(text, guest.name + ".cfg"));
    return {std::move(text), {}};
}

Configuration libvirt(const Guest& guest, LibvirtDriver driver) {
    auto view = libvirt_view(guest, driver);
    auto text = write_libvirt_xml(view.guest, driver);
    check(view.guest, read_libvirt_xml(text, guest.name + ".xml"));
    return {std::move(text), std::move(view.lost)};
}

}  // namespace

Configuration configuration_of(const Guest& guest, Format format) {
    switch (format) {
        case Format::xl:
            return cfg(guest, Dialect::xl);
        case Format::xm:
            return cfg(guest, Dialect::xm);
        case Format::libvirt_xen:
            return libvirt(guest, LibvirtDriver::xen);
        case Format::libvirt_kvm:
            return libvirt(guest, LibvirtDriver::kvm);
        case Format::libvirt_qemu:
            return libvirt(guest, LibvirtDriver::qemu);
    }
    throw error(ErrorKind::internal, "internal error: a configuration in no format");
}

std::string configuration_name(const Guest& guest, Format format) {
    return guest.name + (format == Format::xl || format == Format::xm ? ".cfg" : ".xml");
}

}  // namespace vprov::hypervisor
