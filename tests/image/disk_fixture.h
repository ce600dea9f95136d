// Images of whole disks in a directory of their own, and the programs that judge them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "os/command.h"
#include "os/temp_dir.h"
#include "partition/image/disk_writer.h"
#include "partition/image/transplant.h"
#include "partition/layout/placement.h"

namespace vprov::partition {

class DiskImage : public testing::Test {
  protected:
    static Volume volume(const std::string& name, Filesystem filesystem, Bytes size, std::string mount = "") {
        Volume made;
        made.name = name;
        made.filesystem = filesystem;
        made.size = size;
        made.mount = std::move(mount);
        made.uuid = Uuid::derived("test", name);
        made.partuuid = Uuid::derived("test", "partition " + name);
        if (filesystem == Filesystem::swap)
            made.role = Role::swap;
        return made;
    }

    static DiskPlan disk_of(Table table, Bytes size, std::vector<Volume> volumes) {
        DiskPlan disk;
        disk.name = "disk";
        disk.image = "disk.img";
        disk.guest = "xvda";
        disk.table = table;
        disk.table_uuid = Uuid::derived("test", "table");
        disk.size = size;
        disk.sizing = size.value == 0 ? Sizing::content : Sizing::fixed;
        disk.volumes = std::move(volumes);
        return disk;
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
        const auto result = runner.run(command);
        EXPECT_TRUE(result.ok()) << os::describe_failure(command, result);
        return result.output + result.errors;
    }

    // A file with one partition's bytes, for programs that take nothing else.
    std::filesystem::path part_of(const DiskPlan& disk, std::size_t index) {
        const auto& wanted = disk.volumes.at(index);
        const auto file = work.path() / ("part" + std::to_string(index));
        run({"dd", "if=" + image.native(), "of=" + file.native(), "bs=1M", "conv=sparse", "status=none",
             "skip=" + std::to_string(wanted.start.value >> 20), "count=" + std::to_string(wanted.size.value >> 20)});
        return file;
    }

    void write(DiskPlan& disk, const std::vector<TreePart>& parts = {}) {
        settle(disk, parts);
        write_raw_image(disk, parts, image, runner);
    }

    os::TempDir work{std::filesystem::temp_directory_path(), "vprov-test-"};
    std::filesystem::path image = work.path() / "disk.img", tree = work.path() / "tree";
    os::SystemCommandRunner runner;
};

}  // namespace vprov::partition
