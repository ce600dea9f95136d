#include "pipeline/hooks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "os/temp_dir.h"
#include "pipeline/debconf_answers.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;
using recipe::Moment;

plan::Plan plan_with_hooks(const fs::path& folder) {
    plan::Plan plan;
    plan.recipe.file = folder / "g1.toml";
    plan.name = "g1";
    plan.hostname = "www";
    plan.fqdn = "www.example.org";
    plan.architecture = "amd64";
    plan.recipe.hooks.resize(3);
    plan.recipe.hooks[0].script = "one";
    plan.recipe.hooks[1].script = "two";
    plan.recipe.hooks[1].stage = Moment::before_scripts;
    plan.recipe.hooks[2].file = "three.sh";
    plan.recipe.hooks[2].name = "third";
    return plan;
}

TEST(Hooks, KeepTheirOrderAndNumbers) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    os::write_file(work.path() / "three.sh", "#!/bin/bash\n");
    const auto plan = plan_with_hooks(work.path());
    std::string text;
    for (const auto stage : {Moment::before_scripts, Moment::at_end})
        for (const auto& hook : hook_scripts(plan, stage)) text += fmt::format("{}={};", hook.name, hook.text);
    EXPECT_EQ(text, "hook2=two;hook1=one;third=#!/bin/bash\n;");
}

TEST(Hooks, OnlyTheLastKnowWhichGuestItIs) {
    const auto plan = plan_with_hooks("/");
    const auto added = [&](Moment stage) {
        std::string text;
        for (const auto& [name, value] : hook_environment(plan, stage))
            if (name.starts_with("VPROV_"))
                text += fmt::format("{}={} ", name, value);
        return text;
    };
    EXPECT_EQ(added(Moment::before_scripts),
              "VPROV_ARCH=amd64 VPROV_DISTRIBUTION=debian VPROV_STAGE=essential VPROV_SUITE=bookworm ");
    EXPECT_EQ(added(Moment::at_end),
              "VPROV_ARCH=amd64 VPROV_DISTRIBUTION=debian VPROV_FQDN=www.example.org VPROV_HOSTNAME=www VPROV_NAME=g1 "
              "VPROV_STAGE=customize VPROV_SUITE=bookworm ");
}

TEST(DebconfAnswersOfAPlan, PasswordsAreInFilesThatNotEverybodyReads) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    plan::Plan plan;
    plan.recipe.file = work.path() / "g1.toml";
    plan.recipe.system.debconf_files = {"answers"};
    plan.recipe.system.debconf = {"a a/q string x"};
    const auto file = work.path() / "answers";
    os::write_file(file, "db db/root password sesame\n");
    ::chmod(file.c_str(), 0644);
    try {
        debconf_answers(plan);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(),
                  fmt::format("cannot use '{0}': there is a password in it, and everybody can read it (chmod "
                              "o-r {0})",
                              file.native()));
    }
    ::chmod(file.c_str(), 0600);
    const auto answers = debconf_answers(plan);
    EXPECT_TRUE(has_password(answers));
    EXPECT_EQ(answers,
              (std::vector<deb::DebconfAnswer>{{"db", "db/root", "password", "sesame"}, {"a", "a/q", "string", "x"}}));
}

}  // namespace
}  // namespace vprov::pipeline
