#include "bootstrap/deb/debconf_answer.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::deb {
namespace {

using Answers = std::vector<DebconfAnswer>;

std::string message(std::string_view text) {
    try {
        read_debconf_answers(text, "'answers'");
    } catch (const Error& e) {
        return e.message();
    }
    return "none";
}

TEST(DebconfAnswers, AreWhatDebconfSetSelectionsReads) {
    EXPECT_EQ(read_debconf_answers("# comment\n\n"
                                   "tzdata tzdata/Areas select Europe\r\n"
                                   "  a\ta/q  string   two  blanks \n"
                                   "a a/empty string\n"
                                   "a a/long string one \\\n"
                                   "and two\n"
                                   "a a/q seen false",
                                   "f"),
              (Answers{{"tzdata", "tzdata/Areas", "select", "Europe"},
                       {"a", "a/q", "string", "  two  blanks "},
                       {"a", "a/empty", "string", ""},
                       {"a", "a/long", "string", "one and two"},
                       {"a", "a/q", "seen", "false"}}));
}

TEST(DebconfAnswers, WhatIsWrongIsToldWithoutTheLine) {
    EXPECT_EQ(
        message("a a/q string x\na sesame\n"),
        "cannot use 'answers', line 2: a line of debconf-set-selections(1) is wanted: package, question, type and "
        "value, as in 'tzdata tzdata/Areas select Europe'");
    EXPECT_EQ(
        message("a a/q strng sesame\n"),
        "cannot use 'answers', line 1: the third word is a type: select, boolean, string, multiselect, note, text, "
        "password, title or seen");
    EXPECT_EQ(message("a a/q seen perhaps\n"), "cannot use 'answers', line 1: seen is true or false");
    EXPECT_EQ(flaw_of_debconf_answer("a a/q string x\ny"), "one line is wanted");
}

}  // namespace
}  // namespace vprov::deb
