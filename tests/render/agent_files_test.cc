#include "config-render/agent_files.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "sample_plan.h"

namespace vprov::render {
namespace {

TEST(AgentFiles, AreNoneUnlessTheyAreAskedFor) {
    EXPECT_TRUE(agent_files(sample_plan(), {"systemd"}).empty());
}

TEST(AgentFiles, AreAProgramItsUnitAndWhatStartsIt) {
    auto plan = sample_plan();
    plan.recipe.system.agent = true;
    const auto files = agent_files(plan, {"systemd"});
    ASSERT_EQ(files.size(), 3U);
    const auto& program = file_at(files, "/usr/lib/vprov/agent");
    EXPECT_EQ(program.mode, 0755U);
    EXPECT_TRUE(program.is_program);
    EXPECT_EQ(program.content.substr(0, 4),
              "\x7f"
              "ELF");
    EXPECT_NE(
        file_at(files, "/etc/systemd/system/vprov-agent.service").content.find("ExecStart=" + program.path + "\n"),
        std::string::npos);
    EXPECT_NE(file_at(files, "/etc/udev/rules.d/60-vprov-agent.rules").content.find("vprov-agent.service"),
              std::string::npos);
}

TEST(AgentFiles, NeedSystemd) {
    auto plan = sample_plan();
    plan.recipe.system.agent = true;
    EXPECT_THROW(agent_files(plan, {"sysvinit-core"}), Error);
}

}  // namespace
}  // namespace vprov::render
