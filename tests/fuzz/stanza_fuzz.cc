#include "bootstrap/deb/stanza.h"

#include <string>

#include "base/error.h"
#include "fuzz/expect.h"

namespace {

using namespace vprov;

// Every field is a piece of the text, and its stanza read alone says the same.
void check(const deb::Stanza& stanza, std::string_view whole) {
    const auto text = stanza.text();
    EXPECT_THAT(text.data() >= whole.data() && text.data() + text.size() <= whole.data() + whole.size());
    EXPECT_THAT(!stanza.fields().empty());
    std::size_t covered = 0;
    for (const auto& field : stanza.fields()) {
        EXPECT_THAT(text.find(field.text) != std::string_view::npos);
        EXPECT_THAT(field.text.find(field.value) != std::string_view::npos);
        EXPECT_THAT(stanza.field(field.name) == &field);
        EXPECT_THAT(field.line >= stanza.line());
        for (const auto line : deb::value_lines(field.value)) EXPECT_THAT(!line.empty());
        covered += field.text.size();
    }
    EXPECT_THAT(covered <= text.size());
    const auto again = deb::read_single_stanza(text);
    EXPECT_THAT(again.fields().size() == stanza.fields().size());
    for (std::size_t i = 0; i < again.fields().size(); ++i)
        EXPECT_THAT(again.fields()[i].value == stanza.fields()[i].value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    deb::StanzaReader reader(text);
    deb::Stanza stanza;
    try {
        while (reader.next(stanza)) check(stanza, text);
    } catch (const Error& e) {
        EXPECT_THAT(e.message().starts_with("cannot read line "));
    }
    return 0;
}
