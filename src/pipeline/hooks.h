// A recipe's own scripts, [[hook]], run in the sandbox by the guest's programs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/progress.h"
#include "bootstrap/configure/sandbox.h"
#include "os/root_dir.h"
#include "pipeline/script_logs.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct HookScript {
    std::string name;  // of its log: hook-NAME.log
    std::string text;  // a shell script, or any program that begins with "#!" or is one
};

// Those of one stage, in the recipe's order. Reads the files. Throws Error(recipe).
std::vector<HookScript> hook_scripts(const plan::Plan& plan, recipe::Moment stage);

// maintainer_environment() and VPROV_STAGE, VPROV_DISTRIBUTION, VPROV_SUITE, VPROV_ARCH; at the end VPROV_NAME,
// VPROV_HOSTNAME and VPROV_FQDN as well, which a tree that several guests are made of does not depend on. Pure.
std::map<std::string, std::string> hook_environment(const plan::Plan& plan, recipe::Moment stage);

// One after the other, in "/": a text that is no program by `/bin/sh -e`. Throws Error(script) "cannot run the hook
// 'NAME': ..." with the end of what it said. Nothing of them stays in the tree but what they did.
void run_hooks(const std::vector<HookScript>& hooks, const std::map<std::string, std::string>& environment,
               configure::Sandbox& sandbox, const os::RootDir& root, ScriptLogs& logs, Progress& progress);

}  // namespace vprov::pipeline
