#include "pipeline/sealed_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/base_system.h"
#include "bootstrap/configure/sandbox.h"
#include "config-render/accounts.h"
#include "config-render/added_files.h"
#include "config-render/first_boot.h"
#include "config-render/guest_files.h"
#include "config-render/network.h"
#include "config-render/ssh_host_keys.h"
#include "config-render/timezone.h"
#include "partition/image/image.h"
#include "pipeline/guest_kernels.h"
#include "pipeline/guest_name.h"
#include "pipeline/hooks.h"
#include "pipeline/initrd_names.h"
#include "pipeline/small_initrd.h"
#include "pipeline/tree_dates.h"
#include "pipeline/unique_files.h"
#include "plan/fast_boot.h"

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

void extract_kernel(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory) {
    const auto& root = tree.root();
    const bool by_hypervisor = plan.boot.method == recipe::BootMethod::direct;
    if (!by_hypervisor || plan.recipe.system.kernel.path || plan.kernel_package.empty())
        return;
    const auto kernel = newest_kernel(root, plan.kernel_package);
    copy_out(root, "/boot/" + kernel.file, directory / "vmlinuz");
    if (plan::boots_fast(plan.recipe))
        os::write_file(directory / "initrd.img",
                       small_initrd(root, kernel.version, plan.layout.root().filesystem, tree.date()));
    else
        copy_out(root, "/boot/" + kernel.initrd, directory / "initrd.img");
}

void run_last_hooks(const os::RootDir& root, const plan::Plan& plan, const SealRequest& request) {
    const auto hooks = hook_scripts(plan, recipe::Moment::at_end);
    if (hooks.empty())
        return;
    ScriptLogs logs(request.script_logs);
    configure::Sandbox sandbox(
        root.path(), request.work, plan.hostname,
        plan.recipe.system.scripts_network ? configure::Network::host : configure::Network::none);
    run_hooks(hooks, hook_environment(plan, recipe::Moment::at_end), sandbox, root, logs, request.progress);
    sandbox.close();
    configure::remove_traces(root);
}

}  // namespace

void settle_machine(const os::RootDir& root, const plan::Plan& plan) {
    render::remove_random_seeds(root);
    if (plan.recipe.identity.is_template) {
        render::remove_host_keys(root);
        root.write("/etc/machine-id", "");
    } else if (plan.recipe.identity.ssh_host_keys) {
        render::remove_host_keys(root);
        render::write_guest_files(root, render::given_host_keys(plan));
    }
}

std::vector<std::pair<std::string, std::string>> write_identity(const os::RootDir& root, const IdentityPlaces& places,
                                                                const plan::Plan& plan,
                                                                const resolve::PackageSet& packages) {
    write_name(root, places.named, plan.hostname);
    make_unique_files(root, places.unique, plan.hostname, host_key_format(packages), plan.known.files, places.early);
    render::PackageNames names;
    for (const auto& selected : packages.packages) names.emplace(selected.package->name);
    render::write_guest_files(root, render::late_guest_files(plan, names));
    auto made = render::apply_accounts(root, plan, places.date);
    std::vector<std::pair<std::string, std::string>> passwords;
    if (made.root_password)
        passwords.emplace_back("root", std::move(*made.root_password));
    for (auto& user : made.user_passwords) passwords.push_back(std::move(user));
    return passwords;
}

SealedTree seal(Installed installed, const plan::Plan& plan, const resolve::PackageSet& packages,
                const SealRequest& request) {
    const IdentityPlaces places{installed.tree.date(), std::move(installed.unique), std::move(installed.named),
                                request.early};
    SealedTree sealed(std::move(installed.tree));
    const auto& root = sealed.root();
    render::check_timezone(root, plan);
    render::make_mount_points(root, plan.layout);
    sealed.passwords_ = write_identity(root, places, plan, packages);
    render::write_added(root, plan, recipe::Moment::at_end);
    run_last_hooks(root, plan, request);
    settle_machine(root, plan);
    add_names_to_initrds(root, render::link_files(plan), places.date);
    render::limit_password_dates(root, places.date);
    limit_dates(root.path(), places.date);
    return sealed;
}

SealedTree seal_base(Installed installed, const plan::Plan& plan, std::size_t names_size) {
    const auto date = installed.tree.date();
    SealedTree sealed(std::move(installed.tree));
    render::check_timezone(sealed.root(), plan);
    for (const auto& path : installed.unique) sealed.root().remove(path);
    reserve_room_in_initrds(sealed.root(), names_size);
    render::make_mount_points(sealed.root(), plan.layout);
    limit_dates(sealed.root().path(), date);
    return sealed;
}

void write_kernel(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory) {
    extract_kernel(tree, plan, directory);
}

}  // namespace vprov::pipeline
