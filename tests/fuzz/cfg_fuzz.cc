// xl's and xm's configurations: what is read can be written in both spellings and is read back as the same guest.
#include "base/error.h"
#include "fuzz/expect.h"
#include "hypervisor/guest/guest.h"

namespace {
using namespace vprov;
using hypervisor::Dialect;

void check(const hypervisor::Guest& guest) {
    for (const auto dialect : {Dialect::xl, Dialect::xm}) {
        std::string text;
        try {
            text = write_xl_cfg(guest, dialect);
        } catch (const Error& e) {
            EXPECT_THAT(e.kind() == ErrorKind::recipe && e.message().starts_with("cannot write "));
            continue;
        }
        const auto back = hypervisor::read_xl_cfg(text, "back");
        EXPECT_THAT(back.guest == guest);
        EXPECT_THAT(back.warnings.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto read = hypervisor::read_xl_cfg(text, "f");
        for (const auto& warning : read.warnings) EXPECT_THAT(warning.starts_with("f:"));
        check(read.guest);
    } catch (const Error& e) {
        EXPECT_THAT(e.kind() == ErrorKind::hypervisor && e.message().starts_with("f:"));
    }
    return 0;
}
