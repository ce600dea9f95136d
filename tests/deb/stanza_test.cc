#include "bootstrap/deb/stanza.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace vprov::deb {
namespace {

std::string failure(std::string_view text) {
    try {
        StanzaReader reader(text);
        for (Stanza stanza; reader.next(stanza);) {
        }
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::archive);
        return e.message();
    }
    return "";
}

TEST(Stanza, FieldsInTheirOrderWithLines) {
    StanzaReader reader("\n \nPackage: a\nVersion:1.0  \n\n\nPackage: b");
    Stanza stanza;
    ASSERT_TRUE(reader.next(stanza));
    ASSERT_EQ(stanza.fields().size(), 2U);
    EXPECT_EQ(stanza.line(), 3U);
    EXPECT_EQ(stanza.fields()[0].name, "Package");
    EXPECT_EQ(stanza.fields()[1].value, "1.0");
    EXPECT_EQ(stanza.fields()[1].line, 4U);
    EXPECT_EQ(stanza.text(), "Package: a\nVersion:1.0  \n");
    ASSERT_TRUE(reader.next(stanza));
    EXPECT_EQ(stanza.line(), 7U);
    EXPECT_EQ(stanza.value("package"), "b");
    EXPECT_EQ(stanza.find("Version"), std::nullopt);
    EXPECT_FALSE(reader.next(stanza));
}

TEST(Stanza, MultiLineValuesKeepTheirLines) {
    const auto stanza =
        read_single_stanza("Conffiles:\n /etc/a 1\n /etc/b 2\nDescription: short\n long\n .\n\tmore\n \nEnd: x\n");
    EXPECT_EQ(stanza.value("Conffiles"), "\n /etc/a 1\n /etc/b 2");
    EXPECT_EQ(value_lines(stanza.value("Conffiles")), (std::vector<std::string_view>{"/etc/a 1", "/etc/b 2"}));
    EXPECT_EQ(stanza.value("Description"), "short\n long\n .\n\tmore");
    EXPECT_EQ(stanza.field("description")->text, "Description: short\n long\n .\n\tmore\n ");
    EXPECT_EQ(stanza.value("End"), "x");
}

TEST(Stanza, CarriageReturnsAreBlanks) {
    StanzaReader reader("A: 1\r\nB: 2\r\n\r\nA: 3\r\n");
    Stanza stanza;
    ASSERT_TRUE(reader.next(stanza));
    EXPECT_EQ(stanza.value("B"), "2");
    ASSERT_TRUE(reader.next(stanza));
    EXPECT_EQ(stanza.value("A"), "3");
}

TEST(Stanza, ErrorsNameTheLine) {
    EXPECT_EQ(failure("A: 1\nnonsense\n"), "cannot read line 2: 'nonsense' is not a field");
    EXPECT_EQ(failure("A: 1\n: x\n"), "cannot read line 2: ': x' is not a field");
    EXPECT_EQ(failure("A: 1\nB C: x\n"), "cannot read line 2: 'B C: x' is not a field");
    EXPECT_EQ(failure("-----BEGIN PGP: x\n"), "cannot read line 1: '-----BEGIN PGP: x' is not a field");
    EXPECT_EQ(failure("A: 1\n\n more\n"), "cannot read line 3: it continues a field, but there is none before it");
    EXPECT_EQ(failure("A: 1\nB: 2\na: 3\n"), "cannot read line 3: a second field 'a'");
    EXPECT_EQ(failure(std::string_view("A: 1\nB\0: 2\n", 11)), "cannot read line 2: 'B\\x00: 2' is not a field");
    EXPECT_EQ(failure(std::string(100, 'x')), "cannot read line 1: '" + std::string(60, 'x') + "' is not a field");
}

TEST(Stanza, OneStanzaAndNoMore) {
    EXPECT_THROW(read_single_stanza("\n\n"), Error);
    EXPECT_THROW(read_single_stanza("A: 1\n\nA: 2\n"), Error);
    const auto stanza = read_single_stanza("A: 1\nB:\n");
    EXPECT_EQ(stanza.required("A"), "1");
    try {
        stanza.required("B");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot read line 1: the stanza has no B");
    }
}

}  // namespace
}  // namespace vprov::deb
