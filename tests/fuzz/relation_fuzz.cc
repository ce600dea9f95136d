#include "bootstrap/deb/relation.h"

#include <string>

#include "base/error.h"
#include "fuzz/expect.h"

// What is read and written reads the same again, as long as names are names: like apt, the reader takes any.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vprov;
    const std::string_view field(reinterpret_cast<const char*>(data), size);
    try {
        const auto relations = deb::read_relations(field);
        std::string text;
        bool names = true;
        for (const auto& relation : relations) {
            EXPECT_THAT(!relation.name.empty());
            EXPECT_THAT((relation.op == deb::VersionOperator::none) == relation.version.empty());
            text += deb::to_string(relation) + (relation.or_next ? " | " : ", ");
            deb::satisfies("1.0-1", relation);
            names = names && deb::is_package_name(relation.name) &&
                    (relation.architecture.empty() || deb::is_package_name(relation.architecture));
        }
        if (names)
            EXPECT_THAT(deb::read_relations(text) == relations);
    } catch (const Error& e) {
        EXPECT_THAT(e.message().starts_with("cannot read relation "));
    }
    return 0;
}
