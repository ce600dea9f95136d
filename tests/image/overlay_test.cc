#include "partition/image/overlay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "os/command.h"
#include "os/temp_dir.h"
#include "partition/image/ext_editor.h"
#include "partition/image/image.h"
#include "partition/image/volume_identity.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t kCluster = 65536, kMiB = 1 << 20, kGiB = 1 << 30;

class OverlayTest : public testing::Test {
  protected:
    void make(const fs::path& file, Bytes size, const std::vector<std::pair<std::uint64_t, std::string>>& content) {
        const auto fd = os::open_file(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
        ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size.value)), 0);
        for (const auto& [offset, text] : content)
            ASSERT_EQ(::pwrite(fd.get(), text.data(), text.size(), static_cast<off_t>(offset)),
                      static_cast<ssize_t>(text.size()));
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
        const auto result = runner.run(command);
        EXPECT_TRUE(result.ok()) << os::describe_failure(command, result);
        return result.output;
    }

    // As QEMU reads it.
    std::string content(std::uint64_t offset, std::size_t count) {
        run({"qemu-img", "check", overlay});
        fs::remove(flat);
        run({"qemu-img", "convert", "-O", "raw", overlay, flat});
        return RawImage(flat, RawImage::Access::reading).read(offset, count);
    }

    bool can_judge() const { return os::program_exists("qemu-img"); }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path base = work.path() / "base.img", overlay = work.path() / "disk.qcow2", flat = work.path() / "flat";
    os::SystemCommandRunner runner;
};

TEST_F(OverlayTest, HoldsWhatIsWrittenAndNothingElse) {
    make(base, 3_GiB, {{0, "first"}, {kCluster - 2, "across"}, {kGiB * 2, "far"}});
    Overlay image(base);
    EXPECT_EQ(image.read(kCluster - 2, 6), "across");
    image.write(kCluster - 1, "CROS");
    image.write(kGiB * 3 - 4, "last");
    image.write(0, "first");  // as it is
    EXPECT_EQ(image.read(kCluster - 2, 6), "aCROSs");
    EXPECT_THROW(image.write(kGiB * 3 - 1, "ab"), Error);
    if (!can_judge())
        GTEST_SKIP() << "qemu-img is not installed";
    image.save(overlay, "base.img");
    EXPECT_EQ(content(0, 5), "first");
    EXPECT_EQ(content(kCluster - 2, 6), "aCROSs");
    EXPECT_EQ(content(kGiB * 2, 3), "far");
    EXPECT_EQ(content(kGiB * 3 - 4, 4), "last");
    const auto information = run({"qemu-img", "info", overlay});
    EXPECT_NE(information.find("backing file: base.img"), std::string::npos) << information;
    EXPECT_NE(information.find("backing file format: raw"), std::string::npos) << information;
    EXPECT_LT(fs::file_size(overlay), 12 * kCluster);
    EXPECT_EQ(fs::status(overlay).permissions(), fs::perms(0600));
}

TEST_F(OverlayTest, ZerosOverDataTakeNoRoom) {
    make(base, 1_MiB, {{kCluster, std::string(kCluster, 'x')}});
    Overlay image(base);
    image.write(kCluster, std::string(kCluster, '\0'));
    image.save(overlay, "base.img");
    EXPECT_LE(fs::file_size(overlay), 5 * kCluster);
    if (!can_judge())
        GTEST_SKIP() << "qemu-img is not installed";
    EXPECT_EQ(content(kCluster, 3), std::string(3, '\0'));
}

TEST_F(OverlayTest, IsMadeOfAnotherImage) {
    if (!can_judge())
        GTEST_SKIP() << "qemu-img is not installed";
    const auto raw = work.path() / "raw";
    make(base, 1_MiB, {{0, "same"}, {5 * kCluster, "gone"}, {(kMiB * 1) - 3, "end"}});
    make(raw, 2_MiB, {{0, "same"}, {7 * kCluster, "new"}, {(kMiB * 2) - 3, "END"}});
    write_overlay(raw, base, overlay, "base.img");
    EXPECT_EQ(content(0, 2 << 20), RawImage(raw, RawImage::Access::reading).read(0, 2 << 20));
    make(raw, {512 << 10}, {{3 * kCluster, "short"}});
    fs::remove(overlay);
    write_overlay(raw, base, overlay, "base.img");
    EXPECT_EQ(content(0, 512 << 10), RawImage(raw, RawImage::Access::reading).read(0, 512 << 10));
}

TEST_F(OverlayTest, HoldsAnEditedFileSystem) {
    if (!can_judge())
        GTEST_SKIP() << "qemu-img is not installed";
    const auto tree = work.path() / "tree";
    fs::create_directories(tree / "etc");
    os::write_file(tree / "etc/hostname", "base\n");
    Volume root;
    root.name = "root";
    root.size = 64_MiB;
    root.mount = "/";
    root.uuid = Uuid::derived("base", "root");
    write_filesystem(root, tree, base, runner);
    const auto before = RawImage(base, RawImage::Access::reading).read(0, 64 << 20);
    {
        Overlay image(base);
        ExtEditor editor(image, {0}, 1'700'000'000);
        editor.write_file("/etc/hostname", {}, "web1\n");
        editor.set_uuid(Uuid::derived("web1", "root"));
        editor.finish();
        image.save(overlay, "base.img");
    }
    {
        ExtEditor editor(base, {0}, 1'700'000'000);  // the same in place
        editor.write_file("/etc/hostname", {}, "web1\n");
        editor.set_uuid(Uuid::derived("web1", "root"));
        editor.finish();
    }
    const auto edited = RawImage(base, RawImage::Access::reading).read(0, 64 << 20);
    RawImage(base, RawImage::Access::writing).write(0, before);
    constexpr std::size_t kSuper =
        4096;  // the superblock counts what libext2fs has written, which is more without a cache
    const auto over = content(0, 64 << 20);
    const auto differs = std::mismatch(over.begin() + kSuper, over.end(), edited.begin() + kSuper).first - over.begin();
    EXPECT_EQ(static_cast<std::size_t>(differs), over.size());
    run({"e2fsck", "-fn", flat});
    EXPECT_EQ(run({"debugfs", "-R", "cat /etc/hostname", flat}), "web1\n");
}

// Larger than a group: there are copies of the superblock, and e2fsck -n does not look at them.
TEST_F(OverlayTest, EditedFileSystemNeedsNoCheckAtBoot) {
    const auto tree = work.path() / "tree";
    fs::create_directories(tree / "etc");
    for (const auto filesystem : {Filesystem::ext2, Filesystem::ext3, Filesystem::ext4}) {
        fs::remove(base);
        Volume root;
        root.name = "root";
        root.size = 300_MiB;
        root.mount = "/";
        root.filesystem = filesystem;
        root.uuid = Uuid::derived("base", "root");
        write_filesystem(root, tree, base, runner);
        ExtEditor editor(base, {0}, 1'700'000'000);
        editor.write_file("/etc/hostname", {}, "web1\n");
        editor.set_uuid(Uuid::derived("web1", "root"));
        editor.finish();
        const auto said = run({"e2fsck", "-p", base});
        EXPECT_NE(said.find(": clean,"), std::string::npos) << said;
        const auto copy = run({"dumpe2fs", "-h", "-o", "superblock=32768", "-o", "blocksize=4096", base});
        EXPECT_NE(copy.find(Uuid::derived("web1", "root").text()), std::string::npos) << copy;
    }
}

TEST_F(OverlayTest, FileSystemsGetOtherIdentifiers) {
    for (const auto filesystem : {Filesystem::swap, Filesystem::vfat})
        for (const auto size : {16_MiB, 600_MiB}) {  // FAT12 or 16, and FAT32
            if (filesystem == Filesystem::vfat && !os::program_exists("mkfs.fat"))
                GTEST_SKIP() << "dosfstools is not installed";
            fs::remove(base);
            Volume volume;
            volume.name = "part";
            volume.size = size;
            volume.filesystem = filesystem;
            volume.uuid = Uuid::derived("base", "part");
            write_empty(volume, base, runner);
            volume.uuid = Uuid::derived("web1", "part");
            RawImage image(base, RawImage::Access::writing);
            set_volume_uuid(volume, image);
            EXPECT_EQ(run({"blkid", "-p", "-o", "value", "-s", "UUID", base}), volume.uuid_text() + "\n");
            if (filesystem == Filesystem::vfat)
                run({"fsck.fat", "-n", base});  // says where the boot sectors differ
        }
}

TEST_F(OverlayTest, FindsText) {
    constexpr std::uint64_t kWindow = 1 << 20;
    make(base, 8_MiB, {{100, "needle"}, {kWindow - 3, "needle"}, {5 * kWindow, "needleneedle"}});
    const RawImage image(base, RawImage::Access::reading);
    EXPECT_EQ(places_of("needle", image, 0, 8 * kWindow),
              (std::vector<std::uint64_t>{100, kWindow - 3, 5 * kWindow, 5 * kWindow + 6}));
    EXPECT_EQ(places_of("needle", image, 101, 5 * kWindow + 6), (std::vector<std::uint64_t>{kWindow - 3, 5 * kWindow}));
}

}  // namespace
}  // namespace vprov::partition
