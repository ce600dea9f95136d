#include "pipeline/base_image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "os/temp_dir.h"
#include "pipeline/clonability.h"
#include "pipeline/content_digest.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class ContentDigestTest : public testing::Test {
  protected:
    void put(off_t offset, const std::string& text, off_t size) const {
        const auto fd = os::open_file(file, O_RDWR | O_CREAT);
        ASSERT_EQ(::ftruncate(fd.get(), size), 0);
        ASSERT_EQ(::pwrite(fd.get(), text.data(), text.size(), offset), static_cast<ssize_t>(text.size()));
    }
    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path file = work.path() / "file";
};

TEST_F(ContentDigestTest, FollowsFromBytesAndSizeNotFromHoles) {
    constexpr off_t kSize = 5 << 20;
    put(3 << 20, "x", kSize);
    const auto digest = content_digest(file);
    put(0, std::string(1 << 20, '\0'), kSize);  // no hole any more
    EXPECT_EQ(content_digest(file), digest);
    put(0, "y", kSize);
    EXPECT_NE(content_digest(file), digest);
    put(0, std::string(1, '\0'), kSize);
    EXPECT_EQ(content_digest(file), digest);
    put(3 << 20, "x", kSize + 1);
    EXPECT_NE(content_digest(file), digest);
    put(3 << 20, std::string(1, '\0'), kSize);
    put(2 << 20, "x", kSize);
    EXPECT_NE(content_digest(file), digest);
}

TEST_F(ContentDigestTest, BaseIsIntactAsLongAsNoFileChanges) {
    const auto base = work.path() / "base";
    fs::create_directory(base);
    EXPECT_FALSE(BaseImages::is_base(base));
    os::write_file(base / "base", "inputs");
    os::write_file(base / "root.img", "image");
    EXPECT_TRUE(BaseImages::is_base(base));
    EXPECT_FALSE(BaseImages::is_intact(base));
    os::write_file(base / "digests", fmt::format("{} base\n{} root.img\n", content_digest(base / "base"),
                                                 content_digest(base / "root.img")));
    EXPECT_TRUE(BaseImages::is_intact(base));
    os::write_file(base / "root.img", "imagE");
    EXPECT_FALSE(BaseImages::is_intact(base));
    fs::remove(base / "root.img");
    EXPECT_FALSE(BaseImages::is_intact(base));
    os::write_file(base / "digests", "nonsense\n");
    EXPECT_FALSE(BaseImages::is_intact(base));
}

plan::Plan a_plan() {
    plan::Plan plan;
    partition::DiskPlan disk;
    disk.name = "root";
    disk.image = "root.img";
    disk.size = 1_GiB;
    disk.volumes.emplace_back();
    disk.volumes[0].name = "root";
    disk.volumes[0].mount = "/";
    disk.volumes[0].size = 1_GiB;
    disk.volumes[0].uuid = Uuid::derived("web1", "root");
    plan.layout.disks.push_back(disk);
    plan.kernel_cmdline = "root=UUID=" + disk.volumes[0].uuid.text() + " ro";
    return plan;
}

TEST(Clonability, NamesWhatStandsAgainstIt) {
    EXPECT_EQ(why_not_cloned(a_plan()), "");
    auto plan = a_plan();
    plan.layout.disks[0].volumes[0].filesystem = partition::Filesystem::xfs;
    EXPECT_EQ(why_not_cloned(plan), "root is xfs");
    plan = a_plan();
    plan.layout.disks[0].volumes[0].sizing = partition::Sizing::content;
    EXPECT_EQ(why_not_cloned(plan), "the size of root follows from its content");
    plan = a_plan();
    plan.layout.disks[0].device = "/dev/vg0/root";
    EXPECT_EQ(why_not_cloned(plan), "root is the device /dev/vg0/root");
    plan = a_plan();
    plan.recipe.hooks.emplace_back();
    EXPECT_EQ(why_not_cloned(plan), "the recipe's hooks run in each guest");
    plan.recipe.hooks[0].stage = recipe::Moment::before_scripts;  // it is in the layer
    EXPECT_EQ(why_not_cloned(plan), "");
    plan.recipe.identity.is_template = true;
    EXPECT_EQ(why_not_cloned(plan), "it is a template");
}

TEST(Clonability, BaseIsTheSameForAllGuests) {
    auto one = a_plan(), other = a_plan();
    other.name = "web2";
    other.layout.disks[0].volumes[0].uuid = Uuid::derived("web2", "root");
    other.kernel_cmdline = "root=UUID=" + other.layout.disks[0].volumes[0].uuid.text() + " ro";
    other.layout.disks[0].overlay = true;
    other.layout.disks[0].format = partition::ImageFormat::qcow2;
    other.layout.disks[0].image = "root.qcow2";
    EXPECT_EQ(base_inputs(one, "0"), base_inputs(other, "0"));
    EXPECT_EQ(base_plan(one).layout, base_plan(other).layout);
    EXPECT_EQ(base_plan(one).kernel_cmdline, base_plan(other).kernel_cmdline);
    EXPECT_NE(base_inputs(one, "0"), base_inputs(one, "1"));
    other.layout.disks[0].size = other.layout.disks[0].volumes[0].size = 2_GiB;
    EXPECT_NE(base_inputs(one, "0"), base_inputs(other, "0"));
    one.boot.method = recipe::BootMethod::grub;
    EXPECT_NE(base_inputs(one, "0"), base_inputs(a_plan(), "0"));
}

TEST(Clonability, FilesBelongToTheNearestMount) {
    auto plan = a_plan();
    auto home = plan.layout.disks[0];
    home.volumes[0].name = "home";
    home.volumes[0].mount = "/home";
    plan.layout.disks.push_back(home);
    EXPECT_EQ(volume_at(plan.layout, "/etc/hostname").name, "root");
    EXPECT_EQ(volume_at(plan.layout, "/home/joe").name, "home");
    EXPECT_EQ(volume_at(plan.layout, "/homes").name, "root");
}

}  // namespace
}  // namespace vprov::pipeline
