#include "pipeline/small_initrd.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/error.h"
#include "os/temp_dir.h"
#include "pipeline/cpio.h"
#include "pipeline/kernel_modules.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using partition::Filesystem;

constexpr const char* kVersion = "6.1.0-1-amd64";

// "packed module" as xz --check=crc32 packs it.
const std::string kPacked(
    "\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x0c"
    "\x70\x61\x63\x6b\x65\x64\x20\x6d\x6f\x64\x75\x6c\x65\x00\x00\x00\x00\x62\xc1\x48\xd6\x00\x01\x21\x0d\x75\xdc\xa8"
    "\xd2\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a",
    68);

// Member names and contents; the modes of some in `modes`.
std::map<std::string, std::string> members_of(std::string_view cpio, std::map<std::string, unsigned long>& modes) {
    std::map<std::string, std::string> members;
    const auto field = [&](std::size_t number) {
        return std::stoul(std::string(cpio.substr(6 + number * 8, 8)), nullptr, 16);
    };
    const auto round = [](std::size_t size) { return (size + 3) / 4 * 4; };
    while (cpio.starts_with("070701")) {
        const auto size = field(6), name_size = field(11);
        const std::string name(cpio.substr(110, name_size - 1));
        modes[name] = field(1);
        cpio.remove_prefix(round(110 + name_size));
        members[name] = cpio.substr(0, size);
        cpio.remove_prefix(round(size));
    }
    EXPECT_EQ(cpio.find_first_not_of('\0'), std::string_view::npos);
    return members;
}

class SmallInitrd : public testing::Test {
  protected:
    SmallInitrd() {
        write(
            "modules.dep",
            "kernel/drivers/virtio/virtio_ring.ko:\n"
            "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko\n"
            "kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko\n"
            "kernel/drivers/block/xen-blkfront.ko.xz:\n"
            "kernel/drivers/ata/ata_piix.ko: kernel/drivers/ata/libata.ko\n"
            "kernel/drivers/ata/libata.ko:\n"
            "kernel/lib/libcrc32c.ko:\n"
            "kernel/crypto/crc32c_generic.ko:\n"
            "kernel/crypto/crc32c-intel.ko:\n"
            "kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\n");
        write("modules.alias",
              "# Aliases extracted from modules themselves.\n"
              "alias virtio:d00000002v* virtio_blk\n"
              "alias xen:vbd xen_blkfront\n"
              "alias xenblk xen_blkfront\n"
              "alias pci:v00008086d00007010sv*sd*bc*sc*i* ata_piix\n"
              "alias crc32c crc32c_intel\n"
              "alias crc32c crc32c_generic\n"
              "alias fs-xfs xfs\n"
              "alias gone no_such_module\n");
        write("modules.softdep", "# Soft dependencies\nsoftdep libcrc32c pre: crc32c post: xfs\n");
        write("modules.builtin", "kernel/fs/ext4/ext4.ko\n");
        for (const auto* path :
             {"drivers/virtio/virtio_ring.ko", "drivers/virtio/virtio.ko", "drivers/block/virtio_blk.ko",
              "drivers/ata/ata_piix.ko", "drivers/ata/libata.ko", "lib/libcrc32c.ko", "crypto/crc32c_generic.ko",
              "crypto/crc32c-intel.ko", "fs/xfs/xfs.ko"})
            write(std::string("kernel/") + path, std::string("bytes of ") + path);
        write("kernel/drivers/block/xen-blkfront.ko.xz", kPacked);
    }
    void write(const std::string& name, const std::string& content) {
        root_.write(std::string("/usr/lib/modules/") + kVersion + "/" + name, content);
        root_.make_link("/lib", "usr/lib");
    }
    os::TempDir tree_{fs::temp_directory_path(), "vprov-test-"};
    os::RootDir root_{tree_.path()};
};

TEST_F(SmallInitrd, HoldsAnInitTheModulesThatReachRootAndWhichOfThemADeviceNeeds) {
    const auto cpio = small_initrd(root_, kVersion, Filesystem::ext4, 1'700'000'000);
    std::map<std::string, unsigned long> modes;
    const auto members = members_of(cpio, modes);
    Names names;
    for (const auto& [name, content] : members) names.push_back(name);
    EXPECT_EQ(names,
              (Names{"TRAILER!!!", "init", "lib", "lib/ata_piix.ko", "lib/libata.ko", "lib/virtio.ko",
                     "lib/virtio_blk.ko", "lib/virtio_ring.ko", "lib/xen-blkfront.ko", "modules", "modules-later"}));
    EXPECT_EQ(members.at("modules"),
              "virtio:d00000002v* virtio_ring.ko virtio.ko virtio_blk.ko\nxen:vbd xen-blkfront.ko\n");
    EXPECT_EQ(members.at("modules-later"), "pci:v00008086d00007010sv*sd*bc*sc*i* libata.ko ata_piix.ko\n");
    EXPECT_EQ(members.at("lib/xen-blkfront.ko"), "packed module");
    EXPECT_EQ(members.at("lib/virtio.ko"), "bytes of drivers/virtio/virtio.ko");
    EXPECT_EQ(members.at("init"), guest_init());
    EXPECT_TRUE(
        guest_init().starts_with("\x7f"
                                 "ELF"));
    EXPECT_EQ(modes.at("init"), 0100755U);
    EXPECT_EQ(modes.at("lib"), 040755U);
    EXPECT_EQ(modes.at("modules"), 0100644U);
    EXPECT_EQ(cpio.size() % 4096, 0U);
    EXPECT_EQ(cpio, small_initrd(root_, kVersion, Filesystem::ext4, 1'700'000'000));
}

TEST_F(SmallInitrd, LoadsRootsFileSystemWithWhatItOnlyAsksForByName) {
    std::map<std::string, unsigned long> modes;
    const auto members = members_of(small_initrd(root_, kVersion, Filesystem::xfs, 1), modes);
    EXPECT_TRUE(members.at("modules").starts_with("- crc32c_generic.ko libcrc32c.ko xfs.ko\n"))
        << members.at("modules");
    EXPECT_TRUE(members.contains("lib/crc32c_generic.ko"));
    EXPECT_FALSE(members.contains("lib/crc32c-intel.ko"));
}

TEST_F(SmallInitrd, LeavesOutAnAlgorithmThatIsBuiltIn) {
    write("modules.builtin", "kernel/crypto/crc32c_generic.ko\n");
    write("modules.dep",
          "kernel/lib/libcrc32c.ko:\nkernel/crypto/crc32c-intel.ko:\nkernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\n");
    EXPECT_EQ(KernelModules(root_, kVersion).files_for("xfs"), (Names{"libcrc32c.ko", "xfs.ko"}));
}

TEST_F(SmallInitrd, TakesWhatIsThereByEitherSpelling) {
    const KernelModules modules(root_, kVersion);
    EXPECT_TRUE(modules.has("xen_blkfront"));
    EXPECT_FALSE(modules.has("ext4"));
    EXPECT_EQ(modules.files_for("ext4"), Names{});
    EXPECT_EQ(modules.files_for("virtio_blk"), (Names{"virtio_ring.ko", "virtio.ko", "virtio_blk.ko"}));
    EXPECT_EQ(modules.aliases_of("xen_blkfront"), (Names{"xen:vbd", "xenblk"}));
    EXPECT_EQ(modules.aliases_of("nothing"), Names{});
}

TEST_F(SmallInitrd, SaysWhatIsMissing) {
    EXPECT_THROW(small_initrd(root_, "6.2", Filesystem::ext4, 1), Error);
    write("kernel/drivers/block/xen-blkfront.ko.xz", "not packed");
    try {
        small_initrd(root_, kVersion, Filesystem::ext4, 1);
        FAIL();
    } catch (const Error& e) {
        EXPECT_TRUE(
            std::string_view(e.message())
                .starts_with("cannot unpack '/lib/modules/6.1.0-1-amd64/kernel/drivers/block/xen-blkfront.ko.xz' in "
                             "the guest's tree: "))
            << e.message();
    }
}

}  // namespace
}  // namespace vprov::pipeline
