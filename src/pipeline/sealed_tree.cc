#include "pipeline/sealed_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/base_system.h"
#include "config-render/accounts.h"
#include "config-render/guest_files.h"
#include "partition/image/image.h"
#include "pipeline/guest_kernels.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

void copy_out(const os::RootDir& root, const std::string& path, const fs::path& target) {
    const auto from = root.open(path, O_RDONLY);
    const auto to = os::open_file(target, O_WRONLY | O_CREAT | O_EXCL, 0644);
    struct stat status {};
    ::fstat(from.get(), &status);
    for (auto rest = status.st_size; rest > 0;) {
        const auto count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, static_cast<std::size_t>(rest), 0);
        if (count <= 0)
            throw system_error(ErrorKind::disk, count == 0 ? EIO : errno, "cannot write " + quote(target.native()));
        rest -= count;
    }
}

void extract_kernel(const os::RootDir& root, const plan::Plan& plan, const fs::path& directory) {
    const bool by_hypervisor = plan.boot.method == recipe::BootMethod::direct;
    if (!by_hypervisor || plan.recipe.system.kernel.path || plan.kernel_package.empty())
        return;
    const auto kernel = newest_kernel(root, plan.kernel_package);
    copy_out(root, "/boot/" + kernel.file, directory / "vmlinuz");
    copy_out(root, "/boot/" + kernel.initrd, directory / "initrd.img");
}

}  // namespace

SealedTree seal(configure::ConfiguredRoot configured, const plan::Plan& plan, const resolve::PackageSet& packages,
                std::int64_t now) {
    SealedTree sealed(std::move(configured));
    render::PackageNames names;
    for (const auto& selected : packages.packages) names.emplace(selected.package->name);
    render::write_guest_files(sealed.root(), render::late_guest_files(plan, names));
    render::make_mount_points(sealed.root(), plan.layout);
    auto made = render::apply_accounts(sealed.root(), plan, now);
    if (made.root_password)
        sealed.passwords_.emplace_back("root", std::move(*made.root_password));
    for (auto& user : made.user_passwords) sealed.passwords_.push_back(std::move(user));
    return sealed;
}

void write_images(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory,
                  os::CommandRunner& runner) {
    extract_kernel(tree.root(), plan, directory);
    for (const auto& disk : plan.layout.disks) {
        if (disk.table != partition::Table::none || !disk.device.empty() || disk.format != partition::ImageFormat::raw)
            throw error(ErrorKind::disk, "cannot write {}: only raw images of bare file systems can be written",
                        quote(disk.name));
        const auto& volume = disk.volumes.at(0);
        const auto image = directory / disk.image;
        auto part = volume.mount.empty() ? partition::TreePart{} : part_for(volume, plan.layout, tree.root().path());
        if (volume.mount == "/")
            for (const auto& node : configure::missing_device_nodes(tree.root()))
                part.added.push_back({part.top / node.path.substr(1), node.mode, node.device});
        if (part.top.empty())
            partition::write_empty(volume, image, runner);
        else
            partition::write_filesystem(volume, part, image, runner);
    }
}

}  // namespace vprov::pipeline
