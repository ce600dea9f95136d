// libvirt's XML: what is read can be seen by each of its drivers, and that view is read back as it was.
#include "base/error.h"
#include "fuzz/expect.h"
#include "hypervisor/guest/configuration.h"
#include "hypervisor/guest/libvirt_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vprov;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    hypervisor::ReadGuest read;
    try {
        read = hypervisor::read_libvirt_xml(text, "f");
    } catch (const Error& e) {
        EXPECT_THAT(e.kind() == ErrorKind::hypervisor && e.message().starts_with("f:"));
        return 0;
    }
    using hypervisor::Format;
    for (const auto format : {Format::libvirt_xen, Format::libvirt_kvm}) {
        try {
            hypervisor::configuration_of(read.guest, format);
        } catch (const Error& e) {
            EXPECT_THAT(e.kind() == ErrorKind::recipe || e.kind() == ErrorKind::hypervisor);
        }
    }
    return 0;
}
