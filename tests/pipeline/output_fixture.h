// An output directory with guests in it that no build has made, but might have.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "os/temp_dir.h"
#include "recipe/recipe.h"

namespace vprov::pipeline {

class OutputTest : public testing::Test {
  protected:
    void write(const std::string& path, const std::string& text) const {
        std::filesystem::create_directories((output / path).parent_path());
        os::write_file(output / path, text);
    }

    // With root.img, NAME.cfg, log/dpkg and its manifest; `disk` is merged into that of root.img.
    void add_guest(const std::string& name, const std::string& address = "", const std::string& mac = "",
                   const nlohmann::json& disk = {}) const {
        nlohmann::json manifest = {
            {"name", name},
            {"disks", {{{"image", "root.img"}, {"size", 4096}, {"filesystem", "ext4"}, {"mount", "/"}}}},
            {"network", {{{"mac", mac}, {"address", nlohmann::json::array({address})}}}},
            {"files", {"root.img", name + ".cfg", "log/dpkg", "manifest.json"}}};
        if (!disk.is_null())
            manifest["disks"][0].update(disk);
        write(name + "/root.img", "image");
        write(name + "/" + name + ".cfg", "name = \"" + name + "\"\ntype = \"pvh\"\nmemory = 256\nvcpus = 3\n");
        write(name + "/log/dpkg", "said\n");
        write(name + "/manifest.json", manifest.dump());
    }

    // All below the output directory.
    std::vector<std::string> files() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(output))
            found.push_back(entry.path().lexically_relative(output).native());
        std::sort(found.begin(), found.end());
        return found;
    }

    static recipe::Recipe recipe(unsigned count, const std::string& addresses = "192.0.2.8/29",
                                 const std::string& macs = "02:00:00:00:00:fe", unsigned first = 1) {
        recipe::Recipe made;
        made.file = "web.toml";
        made.networks.emplace_back();
        made.networks[0].gateway = {"192.0.2.9"};
        made.numbered_guests = {count, first, "web%d", addresses, macs};
        return made;
    }

    os::TempDir work{std::filesystem::temp_directory_path(), "vprov-test-"};
    std::filesystem::path output = work.path() / "out";
};

}  // namespace vprov::pipeline
