#include "pipeline/initrd_names.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/command.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

const std::vector<render::GuestFile> kLinks = {{"/etc/systemd/network/10-lan0.link", "[Link]\nName=lan0\n"},
                                               {"/etc/systemd/network/10-lan1.link", "[Link]\nName=lan1\n"}};

// What the members say in the archive's own words: mode, size and name of each.
std::string members_of(std::string_view cpio) {
    std::string text;
    const auto field = [&](std::size_t number) {
        return std::stoul(std::string(cpio.substr(6 + number * 8, 8)), nullptr, 16);
    };
    const auto round = [](std::size_t size) { return (size + 3) / 4 * 4; };
    while (cpio.starts_with("070701")) {
        const auto size = field(6), name_size = field(11);
        text += fmt::format("{:o} {} {} {}\n", field(1), size, field(5), cpio.substr(110, name_size - 1));
        cpio.remove_prefix(round(110 + name_size) + round(size));
    }
    return text + (cpio.find_first_not_of('\0') == std::string_view::npos ? "zeros" : "more");
}

TEST(InitrdNames, AnArchiveOfWholeBlocks) {
    const auto cpio = early_archive(kLinks, 1'700'000'000);
    EXPECT_EQ(cpio.size(), 4096U);
    EXPECT_EQ(members_of(cpio),
              "40755 0 1700000000 etc\n"
              "40755 0 1700000000 etc/systemd\n"
              "40755 0 1700000000 etc/systemd/network\n"
              "100644 17 1700000000 etc/systemd/network/10-lan0.link\n"
              "100644 17 1700000000 etc/systemd/network/10-lan1.link\n"
              "0 0 0 TRAILER!!!\n"
              "zeros");
}

TEST(InitrdNames, StandBeforeWhatTheInitrdWas) {
    const os::TempDir tree(fs::temp_directory_path(), "vprov-test-");
    const os::RootDir root(tree.path());
    root.write("/boot/initrd.img-6.1", "compressed", 0600);
    root.write("/boot/vmlinuz-6.1", "a kernel");
    add_names_to_initrds(root, {}, 1);
    EXPECT_EQ(root.read("/boot/initrd.img-6.1"), "compressed");
    add_names_to_initrds(root, kLinks, 1);
    EXPECT_EQ(root.read("/boot/initrd.img-6.1"), early_archive(kLinks, 1) + "compressed");
    EXPECT_EQ(root.status("/boot/initrd.img-6.1")->st_mode & 07777, 0600U);
    EXPECT_EQ(root.read("/boot/vmlinuz-6.1"), "a kernel");
}

}  // namespace
}  // namespace vprov::pipeline
