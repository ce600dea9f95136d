#include "bootstrap/configure/kernel_order.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

namespace vprov::configure {
namespace {

class KernelOrder : public testing::Test {
  protected:
    struct Given {
        std::string_view name, depends;
        std::vector<unpack::ControlFile> control = {};
        std::vector<std::string> paths = {};
    };

    const deb::Package* add(const Given& given) {
        auto& package = packages_.emplace_back();
        package.name = given.name;
        package.version = "1";
        package.depends = given.depends;
        all_.push_back(&package);
        auto& staged = staged_[&package];
        staged.package = &package;
        staged.control = given.control;
        for (const auto& path : given.paths) staged.entries.emplace_back().path = path;
        return &package;
    }

    std::string before(const deb::Package* kernel) {
        const auto needs = direct_needs(all_);
        KernelOrderRequest request;
        request.kernels = {kernel};
        for (const auto* package : all_)
            if (package != kernel)
                request.pending.push_back(package);
        request.needs = &needs;
        request.staged = [this](const auto* package) -> const auto& {
            return staged_.at(package);
        };
        std::string text;
        for (const auto* package : configured_before_kernels(request)) text += std::string(package->name) + " ";
        return text;
    }

    static unpack::ControlFile script(std::string name, std::string content) {
        unpack::ControlFile file;
        file.name = std::move(name);
        file.content = std::move(content);
        return file;
    }

    std::deque<deb::Package> packages_;
    std::vector<const deb::Package*> all_;
    std::map<const deb::Package*, unpack::StagedPackage> staged_;
};

TEST_F(KernelOrder, WhatTheKernelNeedsComesFirstInTheGivenOrder) {
    add({"shell", ""});
    add({"kmod", "libkmod"});
    add({"libkmod", ""});
    add({"server", "libkmod"});
    EXPECT_EQ(before(add({"linux", "kmod"})), "kmod libkmod ");
}

TEST_F(KernelOrder, SoDoesWhatHasAHandInTheInitramfs) {
    add({"calls", "", {script("postinst", "update-initramfs -u\n")}});
    add({"waits", "", {script("triggers", "activate-noawait update-initramfs\n")}});
    add({"hook", "helper", {}, {"usr/share/initramfs-tools/hooks/x"}});
    add({"helper", ""});
    add({"after", "", {}, {"etc/kernel/postinst.d/zz-update-grub"}});
    add({"blacklist", "", {}, {"usr/lib/modprobe.d/a.conf"}});
    add({"rules", "", {}, {"lib/udev/rules.d/60-a.rules"}});
    add({"mentions", "", {script("prerm", "update-initramfs -u\n")}});
    EXPECT_EQ(before(add({"linux", ""})), "calls waits hook helper after blacklist ");
}

TEST_F(KernelOrder, AccountsAreMadeInTheSameOrderAsEver) {
    add({"first", "", {script("postinst", "adduser --system one\n")}});
    add({"unrelated", ""});
    add({"udev", "library", {script("postinst", "addgroup --system input\n")}, {"etc/udev/udev.conf"}});
    add({"library", ""});
    add({"last", "", {script("postinst", "useradd two\n")}});
    EXPECT_EQ(before(add({"linux", ""})), "first udev library ");
}

TEST_F(KernelOrder, NeedsThatMakeAccountsBringEarlierOnes) {
    add({"one", "", {script("postinst", "groupadd one\n")}});
    add({"two", "three", {script("postinst", "groupadd two\n")}});
    add({"three", "", {script("postinst", "groupadd three\n")}});
    add({"hook", "two", {}, {"usr/share/initramfs-tools/hooks/x"}});
    EXPECT_EQ(before(add({"linux", ""})), "one two three hook ");
}

TEST_F(KernelOrder, WhatDpkgHasToConfigureItselfDoesNotRunBeside) {
    const auto beside = [&](const Given& given) { return may_run_beside(staged_.at(add(given))); };
    EXPECT_TRUE(beside({"a", "", {script("postinst", ""), script("triggers", "interest linux-update-6.1\n")}}));
    EXPECT_FALSE(beside({"b", "", {script("conffiles", "/etc/b\n")}}));
    EXPECT_FALSE(beside({"c", "", {script("config", "")}}));
    EXPECT_FALSE(beside({"d", "", {script("triggers", "activate-noawait ldconfig\n")}}));
}

TEST_F(KernelOrder, AKernelIsWhatShipsOne) {
    EXPECT_TRUE(is_kernel(staged_.at(add({"a", "", {}, {"boot", "boot/vmlinuz-6.1.0-1-amd64"}}))));
    EXPECT_TRUE(is_kernel(staged_.at(add({"b", "", {}, {"boot/vmlinux-6.12-riscv64"}}))));
    EXPECT_FALSE(is_kernel(staged_.at(add({"c", "", {}, {"usr/boot/vmlinuz", "boot/config-6.1"}}))));
}

}  // namespace
}  // namespace vprov::configure
