#include "bootstrap/configure/install_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

namespace vprov::configure {
namespace {

class Order : public testing::Test {
  protected:
    const deb::Package* add(std::string_view name, std::string_view depends = "", std::string_view pre_depends = "",
                            std::string_view provides = "") {
        deb::Package package;
        package.name = name;
        package.version = "1";
        package.depends = depends;
        package.pre_depends = pre_depends;
        package.provides = provides;
        made_.push_back(package);
        all_.push_back(&made_.back());
        return all_.back();
    }
    std::string order() const { return names(install_order(all_)); }
    static std::string names(const std::vector<const deb::Package*>& packages) {
        std::string text;
        for (const auto* package : packages) text += std::string(package->name) + " ";
        return text;
    }
    std::deque<deb::Package> made_;
    std::vector<const deb::Package*> all_;
};

TEST_F(Order, WhatIsNeededComesFirstAndNamesDecideTheRest) {
    add("d", "b, c");
    add("c");
    add("b", "c");
    add("a", "d");
    EXPECT_EQ(order(), "c b d a ");
    std::reverse(all_.begin(), all_.end());
    EXPECT_EQ(order(), "c b d a ");
}

TEST_F(Order, ACycleEnds) {
    add("a", "b");
    add("b", "a");
    EXPECT_EQ(order(), "b a ");
}

TEST_F(Order, AlternativesVersionsAndVirtualPackages) {
    add("a", "missing | y (>= 2) | z, virtual");
    add("y");
    add("z");
    add("zz", "", "", "virtual");
    EXPECT_EQ(order(), "z zz a y ");
}

TEST_F(Order, EachArchitectureNeedsItsOwn) {
    const auto add_for = [&](std::string_view name, std::string_view architecture, std::string_view depends = "",
                             std::string_view multi_arch = "") {
        auto* package = const_cast<deb::Package*>(add(name, depends));
        package->architecture = architecture;
        package->multi_arch = multi_arch;
        return package;
    };
    add_for("base", "amd64")->essential = true;
    const auto* native = add_for("lib", "amd64", "", "same");
    const auto* foreign = add_for("lib", "i386", "", "same");
    const auto* tool = add_for("tool", "amd64", "", "foreign");
    const auto* user = add_for("a-user", "i386", "lib, tool");
    const auto* exact = add_for("b-exact", "amd64", "lib:i386");
    const auto* data = add_for("c-data", "all", "lib");
    const auto needs = direct_needs(all_);
    using List = std::vector<const deb::Package*>;
    EXPECT_EQ(needs.at(user).before_configuring, (List{foreign, tool}));
    EXPECT_EQ(needs.at(exact).before_configuring, List{foreign});
    EXPECT_EQ(needs.at(data).before_configuring, List{native});
    EXPECT_EQ(essential_closure(all_), List{all_.front()});
}

TEST_F(Order, TheEssentialClosureHoldsWhatEssentialPackagesNeed) {
    add("other", "base");
    add("libc");
    add("base", "", "libc");
    made_.back().essential = true;
    EXPECT_EQ(names(essential_closure(all_)), "libc base ");
}

TEST_F(Order, PreDependsAreApartFromDepends) {
    const auto* a = add("a", "c", "b");
    const auto* b = add("b");
    const auto* c = add("c");
    const auto needs = direct_needs(all_);
    EXPECT_EQ(needs.at(a).before_unpacking, std::vector<const deb::Package*>{b});
    EXPECT_EQ(needs.at(a).before_configuring, (std::vector<const deb::Package*>{b, c}));
}

}  // namespace
}  // namespace vprov::configure
