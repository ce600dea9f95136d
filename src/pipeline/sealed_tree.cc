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

void write_kernel(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory) {
    extract_kernel(tree.root(), plan, directory);
}

}  // namespace vprov::pipeline
