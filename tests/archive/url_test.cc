#include "bootstrap/archive/url.h"

#include <gtest/gtest.h>

namespace vprov::archive {
namespace {

TEST(Url, EncodesThePathAndNotTheUri) {
    EXPECT_EQ(url_of("http://host/debian", "pool/main/g/gcc/g++_1%3a2~b.deb"),
              "http://host/debian/pool/main/g/gcc/g%2b%2b_1%253a2~b.deb");
    EXPECT_EQ(url_of("file:///srv/a//", "./x y"), "file:///srv/a/x%20y");
    EXPECT_EQ(url_of("http://host/a", "/Release"), "http://host/a/Release");
}

TEST(Url, IsShownWithoutItsPassword) {
    EXPECT_EQ(shown_url("http://me:secret@host/x@y"), "http://me@host/x@y");
    EXPECT_EQ(shown_url("http://me@host/x"), "http://me@host/x");
    EXPECT_EQ(shown_url("http://host/x:y@z"), "http://host/x:y@z");
    EXPECT_EQ(shown_url("host/x"), "host/x");
}

}  // namespace
}  // namespace vprov::archive
