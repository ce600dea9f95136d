#include "pipeline/first_stage.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/text.h"
#include "os/temp_dir.h"
#include "pipeline/tree_text.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class FirstStage : public testing::Test {
  protected:
    deb::Package& add(std::string_view name, Unpacking unpacking, std::string_view depends = "",
                      std::string_view pre_depends = "") {
        auto& made = made_.emplace_back();
        made.name = name;
        made.version = "1:2-3";
        made.architecture = "arm64";
        made.depends = depends;
        made.pre_depends = pre_depends;
        all_.push_back(&made);
        unpacking_[&made] = unpacking;
        return made;
    }
    std::string steps() const { return joined(second_stage_steps(all_, unpacking_), "\n"); }
    std::deque<deb::Package> made_;
    std::vector<const deb::Package*> all_;
    std::unordered_map<const deb::Package*, Unpacking> unpacking_;
};

TEST_F(FirstStage, EssentialPackagesAreConfiguredFirst) {
    add("dpkg", Unpacking::here, "libc6").essential = true;
    add("libc6", Unpacking::here_with_preinst).multi_arch = "same";
    add("vim", Unpacking::here, "libc6");
    EXPECT_EQ(steps(),
              "preinst libc6 arm64 libc6:arm64\n"
              "configure libc6:arm64 dpkg\n"
              "pending");
}

TEST_F(FirstStage, WhatHasAPreinstIsUnpackedThereAfterItsPreDepends) {
    add("base", Unpacking::here).essential = true;
    add("lib", Unpacking::here, "data");
    add("data", Unpacking::here);
    add("tool", Unpacking::on_target, "other", "lib (>= 1)");
    add("other", Unpacking::on_target);
    EXPECT_EQ(steps(),
              "configure base\n"
              "unpack other_1%3a2-3_arm64.deb\n"
              "configure data lib\n"
              "unpack tool_1%3a2-3_arm64.deb\n"
              "pending");
}

TEST_F(FirstStage, NotesAreDebootstraps) {
    auto& libc = add("libc6", Unpacking::here);
    auto& dash = add("dash", Unpacking::here, "", "libc6");
    dash.priority = "required";
    auto& nano = add("nano", Unpacking::here, "libc6");
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    write_first_stage_notes(work.path() / "debootstrap",
                            {"sid", "arm64", "http://mirror.example.org/debian", "minbase", {"experimental"}},
                            {{{&dash, false}, {&libc, true}, {&nano, false}}});
    EXPECT_EQ(tree_text(work.path() / "debootstrap"),
              "arch=arm64\n\n"
              "automatic=libc6\n\n"
              "base=nano\n\n"
              "debpaths=dash /var/cache/apt/archives/dash_1%3a2-3_arm64.deb\n"
              "libc6 /var/cache/apt/archives/libc6_1%3a2-3_arm64.deb\n"
              "nano /var/cache/apt/archives/nano_1%3a2-3_arm64.deb\n\n"
              "extra-suites=experimental\n\n"
              "mirror=http://mirror.example.org/debian\n\n"
              "required=dash libc6\n\n"
              "suite=sid\n\n"
              "variant=minbase\n\n");
}

}  // namespace
}  // namespace vprov::pipeline
