#include "pipeline/guest_kernels.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/version.h"

namespace vprov::pipeline {
namespace {

struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

// Where the architecture's kernels are not compressed they end in x: linux-image of riscv64 and ppc64el (bookworm).
std::vector<GuestKernel> guest_kernels(const os::RootDir& root) {
    std::vector<GuestKernel> kernels;
    auto fd = root.open_if_exists("/boot", O_RDONLY | O_DIRECTORY);
    if (!fd)
        return kernels;
    const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd->release()));
    while (const auto* entry = dir ? ::readdir(dir.get()) : nullptr) {
        const std::string name = entry->d_name;
        if (!name.starts_with("vmlinuz-") && !name.starts_with("vmlinux-"))
            continue;
        const auto version = name.substr(name.find('-') + 1);
        kernels.push_back({name, "initrd.img-" + version, version});
    }
    std::ranges::sort(kernels, [](const GuestKernel& a, const GuestKernel& b) {
        return deb::compare_versions(a.version, b.version) > 0;
    });
    return kernels;
}

GuestKernel newest_kernel(const os::RootDir& root, const std::string& package) {
    const auto kernels = guest_kernels(root);
    if (kernels.empty())
        throw error(ErrorKind::disk, "cannot find a kernel in the guest's /boot, although {} is installed",
                    quote(package));
    if (!root.exists("/boot/" + kernels[0].initrd))
        throw error(ErrorKind::disk, "cannot find {} in the guest: no initramfs was made for its kernel",
                    quote("/boot/" + kernels[0].initrd));
    return kernels[0];
}

}  // namespace vprov::pipeline
