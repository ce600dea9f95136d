// The answers to packages' questions that a recipe gives, its own and those in files.
#pragma once

#include <string>
#include <vector>

#include "bootstrap/deb/debconf_answer.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// [system] debconf_files, then debconf. Throws Error(recipe) for a bad line, without repeating it, and for a file with
// a password that everybody can read.
std::vector<deb::DebconfAnswer> debconf_answers(const plan::Plan& plan);

bool has_password(const std::vector<deb::DebconfAnswer>& answers);

}  // namespace vprov::pipeline
