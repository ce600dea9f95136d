// debconf's database as debconf-set-selections(1) leaves it, for a tree in which no program can run yet: questions are
// answered before the first script asks. Pure.
#pragma once

#include <string>
#include <vector>

#include "bootstrap/deb/debconf_answer.h"

namespace vprov::configure {

// The files of /var/cache/debconf, "" where there is nothing to say. Passwords are in the second only, which is root's.
struct DebconfDatabase {
    std::string config;     // config.dat, 0644
    std::string passwords;  // passwords.dat, 0600
    std::string templates;  // templates.dat, 0644: dummies, which packages' own replace
};

// A later answer to a question replaces an earlier one; all who gave one own the question.
DebconfDatabase debconf_database(const std::vector<deb::DebconfAnswer>& answers);

}  // namespace vprov::configure
