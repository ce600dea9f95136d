#include "bootstrap/deb/version.h"

#include <string>

#include "base/text.h"
#include "fuzz/expect.h"

// The input's first three lines are versions; whatever they are, comparing them is an order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vprov;
    const auto lines = split({reinterpret_cast<const char*>(data), size}, '\n');
    const auto a = lines[0];
    const auto b = lines.size() > 1 ? lines[1] : a;
    const auto c = lines.size() > 2 ? lines[2] : b;
    const auto ab = deb::compare_versions(a, b);
    const auto bc = deb::compare_versions(b, c);
    const auto ac = deb::compare_versions(a, c);
    EXPECT_THAT(deb::compare_versions(a, a) == 0);
    EXPECT_THAT((ab < 0) == (deb::compare_versions(b, a) > 0));
    EXPECT_THAT((ab == 0) == (deb::compare_versions(b, a) == 0));
    if (ab <= 0 && bc <= 0)
        EXPECT_THAT(ac <= 0);
    if (ab < 0 && bc <= 0)
        EXPECT_THAT(ac < 0);
    if (deb::is_version(a)) {
        const auto parts = deb::version_parts(a);
        auto text = std::string(parts.epoch);
        if (a.find(':') != std::string_view::npos)
            text += ':';
        text += parts.upstream;
        if (a.find('-', a.find(':') == std::string_view::npos ? 0 : a.find(':')) != std::string_view::npos)
            text.append("-").append(parts.revision);
        EXPECT_THAT(text == a);
        EXPECT_THAT(deb::compare_versions(a, std::string(a) + "~") > 0);
        EXPECT_THAT(deb::compare_versions(a, std::string(a) + "+") < 0);
    }
    return 0;
}
