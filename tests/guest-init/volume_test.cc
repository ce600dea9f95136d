extern "C" {
#include "guest-init/volume.h"
}

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "os/command.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace {
namespace fs = std::filesystem;
using vprov::os::TempDir;

constexpr const char* kUuid = "0d3e2c1b-0000-4000-8000-000000000001";

class Volume : public testing::Test {
  protected:
    // An image of `size` bytes, which `argv` writes to; false where its program is not installed.
    bool make(std::vector<std::string> argv, std::uintmax_t size = 16 << 20) {
        vprov::os::write_file(image(), "");
        fs::resize_file(image(), size);
        argv.push_back(image().native());
        if (!fs::exists("/sbin/" + argv[0]))
            return false;
        argv[0] = "/sbin/" + argv[0];
        vprov::os::SystemCommandRunner runner;
        const auto made = runner.run({argv, vprov::os::clean_environment(), {}});
        EXPECT_TRUE(made.ok()) << made.errors;
        return made.ok();
    }
    void poke(std::uint64_t place, const std::string& bytes) {
        const auto file = vprov::os::open_file(image(), O_WRONLY);
        ASSERT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(place)),
                  static_cast<ssize_t>(bytes.size()));
    }
    volume read() {
        const auto file = vprov::os::open_file(image(), O_RDONLY);
        volume found;
        read_volume(file.get(), &found);
        return found;
    }
    std::string partuuid(unsigned number, unsigned sector_size = 512) {
        const auto file = vprov::os::open_file(image(), O_RDONLY);
        char text[kUuidSize];
        read_partuuid(file.get(), number, sector_size, text);
        return text;
    }
    fs::path image() const { return place_.path() / "image"; }

  private:
    TempDir place_{fs::temp_directory_path(), "vprov-test-"};
};

TEST_F(Volume, IsNothingThatIsKnown) {
    vprov::os::write_file(image(), "short");
    EXPECT_STREQ(read().type, "");
    fs::resize_file(image(), 1 << 20);
    EXPECT_STREQ(read().type, "");
    EXPECT_EQ(partuuid(1), "");
}

TEST_F(Volume, IsOneOfTheThreeExts) {
    for (const std::string type : {"ext2", "ext3", "ext4"}) {
        if (!make({"mke2fs", "-q", "-F", "-t", type, "-U", kUuid, "-L", "my root"}))
            GTEST_SKIP() << "mke2fs is not installed";
        const auto found = read();
        EXPECT_EQ(found.type, type);
        EXPECT_STREQ(found.uuid, kUuid);
        EXPECT_STREQ(found.label, "my root");
        EXPECT_TRUE(found.clean) << type;
    }
}

TEST_F(Volume, IsCleanWhenE2fsckWouldSaySo) {
    constexpr std::uint64_t kSuper = 1024;
    if (!make({"mke2fs", "-q", "-F", "-t", "ext4"}))
        GTEST_SKIP() << "mke2fs is not installed";
    poke(kSuper + 0x3a, std::string("\0\0", 2));  // mounted, or not unmounted, without a journal
    EXPECT_FALSE(read().clean);
    poke(kSuper + 0x3a, std::string("\3\0", 2));  // errors were found
    EXPECT_FALSE(read().clean);
    poke(kSuper + 0x3a, std::string("\1\0", 2));
    EXPECT_TRUE(read().clean);
    poke(kSuper + 0x34, std::string("\5\0\5\0", 4));  // mounted five times of at most five
    EXPECT_FALSE(read().clean);
    poke(kSuper + 0x34, std::string("\4\0\5\0", 4));
    EXPECT_TRUE(read().clean);
    poke(kSuper + 0x44, std::string("\1\0\0\0", 4));  // to be checked every second
    poke(kSuper + 0x40, std::string("\1\0\0\0", 4));  // and checked in 1970
    EXPECT_FALSE(read().clean);
    poke(kSuper + 0x44, std::string("\0\0\0\0", 4));
    EXPECT_TRUE(read().clean);
    const auto incompatible = vprov::os::read_file(image()).substr(kSuper + 0x60, 1);
    poke(kSuper + 0x60, std::string(1, static_cast<char>(incompatible[0] | 4)));  // the journal holds something
    EXPECT_FALSE(read().clean);
    EXPECT_STREQ(read().type, "ext4");
}

TEST_F(Volume, IsXfsOrBtrfs) {
    if (make({"mkfs.xfs", "-q", "-m", std::string("uuid=") + kUuid, "-L", "xroot"}, 300 << 20)) {
        EXPECT_STREQ(read().type, "xfs");
        EXPECT_STREQ(read().uuid, kUuid);
        EXPECT_STREQ(read().label, "xroot");
        EXPECT_TRUE(read().clean);
    }
    if (make({"mkfs.btrfs", "-q", "-U", kUuid, "-L", "broot"}, 128 << 20)) {
        EXPECT_STREQ(read().type, "btrfs");
        EXPECT_STREQ(read().uuid, kUuid);
        EXPECT_STREQ(read().label, "broot");
    }
}

TEST_F(Volume, OfAnMbrIsNumberedBehindTheDisksOwn) {
    std::string mbr(512, '\0');
    mbr.replace(440, 4, "\x78\x56\x34\x12");
    mbr[446 + 4] = '\x83';
    mbr[510] = '\x55';
    mbr[511] = '\xaa';
    vprov::os::write_file(image(), mbr);
    EXPECT_EQ(partuuid(1), "12345678-01");
    EXPECT_EQ(partuuid(5), "12345678-05");
}

TEST_F(Volume, OfAGptHasItsOwnUuid) {
    for (const unsigned sector : {512U, 4096U}) {
        std::string disk(8 * sector, '\0');
        disk[446 + 4] = '\xee';
        disk[510] = '\x55';
        disk[511] = '\xaa';
        disk.replace(sector, 8, "EFI PART");
        disk[sector + 72] = 2;       // the entries' first sector
        disk[sector + 80] = 2;       // two of them
        disk[sector + 84] = '\x80';  // of 128 bytes
        for (char i = 0; i < 16; ++i) disk[2 * sector + 128 + 16 + static_cast<unsigned char>(i)] = i;
        vprov::os::write_file(image(), disk);
        EXPECT_EQ(partuuid(2, sector), "03020100-0504-0706-0809-0a0b0c0d0e0f");
        EXPECT_EQ(partuuid(1, sector), "00000000-0000-0000-0000-000000000000");
        EXPECT_EQ(partuuid(3, sector), "");
        EXPECT_EQ(partuuid(0, sector), "");
    }
}

}  // namespace
