#include "partition/image/swap.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "os/command.h"
#include "os/temp_dir.h"
#include "partition/image/image.h"

namespace vprov::partition {
namespace {

Volume swap_disk(Bytes size, const std::string& label) {
    Volume disk;
    disk.name = "swap";
    disk.size = size;
    disk.filesystem = Filesystem::swap;
    disk.label = label;
    disk.uuid = Uuid::derived("debian1", "disk swap");
    return disk;
}

std::uint32_t word(const std::string& page, std::size_t offset) {
    std::uint32_t value = 0;
    std::copy_n(page.data() + offset, sizeof value, reinterpret_cast<char*>(&value));
    return value;
}

TEST(Swap, HeaderIsThatOfTheKernel) {
    const auto page = swap_header(1_MiB + Bytes{4095}, Uuid::derived("a", "b"), "swap");
    ASSERT_EQ(page.size(), 4096U);
    EXPECT_EQ(page.substr(4086), "SWAPSPACE2");
    EXPECT_EQ(word(page, 1024), 1U);    // version
    EXPECT_EQ(word(page, 1028), 255U);  // last page
    EXPECT_EQ(word(page, 1032), 0U);    // bad pages
    EXPECT_EQ(page.substr(1052, 16), std::string("swap") + std::string(12, '\0'));
    EXPECT_EQ(page.find_first_not_of('\0'), 1024U);
    EXPECT_EQ(page.find_last_not_of('\0', 4085), 1055U);
}

TEST(Swap, TooSmallIsRefused) {
    try {
        swap_header({40959}, {}, "");
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        EXPECT_EQ(e.message(), "cannot make swap space of 41.0 kB: 40 kB are the least");
    }
    EXPECT_EQ(swap_header({40960}, {}, "").size(), 4096U);
}

TEST(Swap, BlkidReadsUuidAndLabel) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    os::SystemCommandRunner runner;
    const auto disk = swap_disk(16_MiB, "a longer label than fits");
    const auto image = work.path() / "swap.img";
    write_empty(disk, image, runner);
    EXPECT_EQ(std::filesystem::file_size(image), disk.size.value);
    const auto said = runner.run({{"blkid", "-p", "-o", "export", image}, os::clean_environment(), ""});
    EXPECT_EQ(said.status, 0);
    for (const auto& line : {std::string("TYPE=swap"), "UUID=" + disk.uuid.text(),
                             std::string("LABEL=a\\ longer\\ label"), std::string("VERSION=1")})
        EXPECT_NE(said.output.find(line), std::string::npos) << line << " is not in\n" << said.output;
}

}  // namespace
}  // namespace vprov::partition
