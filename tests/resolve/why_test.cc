#include "bootstrap/resolve/why.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

TestArchive example() {
    TestArchive archive;
    archive.add("sid", R"(base 1
                          Essential: yes
                          Depends: libbase
                          libbase 1
                          site 2
                          Depends: web | other-web, helper (>= 1)
                          Recommends: docs
                          web 1
                          Depends: libweb
                          Conflicts: old-web
                          Suggests: web-doc
                          other-web 1
                          old-web 1
                          Depends: libbase
                          libweb 1
                          Provides: web-abi
                          helper 1
                          docs 1
                          web-doc 1
                          lonely 1
                          Provides: loneliness)");
    return archive;
}

std::string answer(std::string_view name, const std::vector<std::string>& include = {"site"}) {
    const auto archive = example();
    Request request;
    request.variant = Variant::essential;
    request.include = include;
    const auto set = resolve(archive.index(), request);
    try {
        const auto answer = why(archive.index(), request, set, {"site"}, name);
        return (answer.in_set ? "+ " : "- ") + answer.verdict + "\n" + joined(answer.steps, "\n");
    } catch (const Error& e) {
        return e.message();
    }
}

TEST(Why, TheShortestChainFromWhatWasAsked) {
    EXPECT_EQ(answer("libweb"),
              "+ libweb 1 is installed\n"
              "the recipe includes site\n"
              "site depends on web | other-web\n"
              "web depends on libweb");
    EXPECT_EQ(answer("site"), "+ site 2 is installed\nthe recipe includes site");
    EXPECT_EQ(answer("libbase"), "+ libbase 1 is installed\nbase is essential\nbase depends on libbase");
    EXPECT_EQ(answer("helper", {"site", "helper"}),
              "+ helper 1 is installed\nthe guest that the recipe describes needs helper");
    EXPECT_EQ(answer("web-abi"),
              "+ web-abi is a name that libweb provides; libweb 1 is installed\n"
              "the recipe includes site\n"
              "site depends on web | other-web\n"
              "web depends on libweb");
}

TEST(Why, WhatIsNotThereHasAReasonToo) {
    EXPECT_EQ(answer("other-web"),
              "- other-web is not installed\n"
              "site depends on web | other-web: web is installed for it");
    EXPECT_EQ(answer("docs"),
              "- docs is not installed\n"
              "site recommends docs: recommended packages are not asked for");
    EXPECT_EQ(answer("web-doc"), "- web-doc is not installed\nweb suggests web-doc");
    EXPECT_EQ(answer("old-web"),
              "- old-web is not installed\n"
              "web conflicts with old-web\n"
              "  the recipe includes site\n"
              "  site depends on web | other-web");
    EXPECT_EQ(answer("lonely"), "- lonely is not installed\nnothing that is installed wants lonely");
    EXPECT_EQ(answer("loneliness"), "- loneliness is not installed\nlonely provides it: not installed either");
    EXPECT_EQ(answer("web", {"site", "web-"}),
              "- web is not installed\n"
              "the recipe includes 'web-', which keeps it out\n"
              "site depends on web | other-web: other-web is installed for it");
    EXPECT_EQ(answer("webb"), "cannot find package 'webb' in sid; did you mean 'web'?");
}

}  // namespace
}  // namespace vprov::resolve
