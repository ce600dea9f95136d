// /etc/fstab of an article of 2007, field for field, from the recipe that stands for its first listing.
#include <gtest/gtest.h>

#include <sstream>

#include "base/text.h"
#include "config-render/filesystems.h"
#include "plan/facts.h"

namespace vprov::render {
namespace {

// Without comments, and with one blank between fields.
std::vector<std::string> entries(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.starts_with('#'))
            continue;
        std::istringstream words(line);
        std::vector<std::string> fields;
        for (std::string field; words >> field;) fields.push_back(field);
        out.push_back(joined(fields, " "));
    }
    return out;
}

TEST(Listings, EtchsFstab) {
    const auto file = std::filesystem::path(VPROV_SOURCE_DIR) / "recipes/etch-listing1.toml";
    const auto made = plan::make_plan(recipe::read(file), plan::plain_facts({plan::kRemovedKeyring}),
                                      {"/out", "/cache", plan::HostFiles::not_wanted});
    EXPECT_EQ(
        entries(fstab(made)),
        (std::vector<std::string>{"/dev/hda1 / ext3 defaults 1 2", "/dev/hda2 none swap sw 0 0",
                                  "devpts /dev/pts devpts gid=5,mode=620 0 0", "tmpfs /dev/shm tmpfs defaults 0 0"}));
}

}  // namespace
}  // namespace vprov::render
