#include "base/error.h"
#include "bootstrap/unpack/deb_archive.h"
#include "fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vprov;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto inside = [&](std::string_view part) {
        return !part.empty() && part.data() >= bytes.data() && part.data() + part.size() <= bytes.data() + bytes.size();
    };
    try {
        const auto members = unpack::find_deb_members(bytes);
        EXPECT_THAT(inside(members.control) && inside(members.data));
        EXPECT_THAT(members.control.data() + members.control.size() <= members.data.data());
    } catch (const Error& e) {
        EXPECT_THAT(e.kind() == ErrorKind::archive && !e.message().empty());
    }
    return 0;
}
