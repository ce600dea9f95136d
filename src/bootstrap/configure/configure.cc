#include "bootstrap/configure/configure.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "bootstrap/configure/base_system.h"
#include "bootstrap/configure/debconf_database.h"
#include "bootstrap/configure/install_order.h"
#include "bootstrap/configure/kernel_order.h"
#include "bootstrap/configure/maintainer_scripts.h"
#include "bootstrap/unpack/dpkg_database.h"
#include "bootstrap/unpack/tree_merger.h"

namespace vprov::configure {
namespace {

using PackageList = std::vector<const deb::Package*>;

class Configuration {
  public:
    Configuration(const ConfigureRequest& request, const os::RootDir& root, Progress& progress)
        : request_(request),
          root_(root),
          database_(root, request.architectures),
          merger_(root, database_),
          scripts_(*request.sandbox, root, progress, request.packages, request.on_output) {}

    // ConfiguredRoot::date()
    std::int64_t run() {
        const auto& all = request_.packages;
        needs_ = direct_needs(all);
        const auto essential = essential_closure(all);
        install_essential(essential);
        if (request_.prepare)
            request_.prepare(root_);
        install_rest(install_order(all));
        return date_;
    }

  private:
    const unpack::StagedPackage& staged(const deb::Package* package) const { return request_.stager->get(*package); }

    bool has_preinst(const deb::Package* package) const { return staged(package).control_file("preinst") != nullptr; }

    // The essential packages are each other's ground: all must be in place before the first of their scripts runs.
    void install_essential(const PackageList& essential) {
        for (const auto* package : essential) merge(package);
        database_.flush();
        for (const auto* package : essential)
            if (has_preinst(package))
                run_preinst(package);
        scripts_.configure(essential, MaintainerScripts::Triggers::defer);
        configured_.insert(essential.begin(), essential.end());
        tree_changed();
    }

    // --pending: dpkg's own order, which is what apt leaves it to and what accounts made by scripts depend on.
    void install_rest(const PackageList& order) {
        const auto late = kernels_and_dependents(order);
        for (const bool now_late : {false, true}) {
            for (const auto* package : order)
                if (!merged_.contains(package) && late.contains(package) == now_late)
                    install(package);
            if (!now_late)
                start_kernels(order, late);
            database_.flush();
            if (!now_late && request_.before_pending)
                request_.before_pending(root_);
            scripts_.configure_pending(now_late ? std::optional(date_) : std::nullopt);
            finish_kernels();
            configured_.insert(merged_.begin(), merged_.end());
        }
    }

    // All others are unpacked. dpkg works on them while the kernels' scripts run.
    void start_kernels(const PackageList& order, const PackageSet& late) {
        KernelOrderRequest wanted;
        for (const auto* package : order)
            if (late.contains(package) && is_kernel(staged(package)) && may_run_beside(staged(package)))
                wanted.kernels.push_back(package);
        if (wanted.kernels.size() != 1)  // several would be in each other's way: links in /, the boot loader's menu
            return;
        database_.flush();
        wanted.pending = in_pending_order(order);
        wanted.needs = &needs_;
        wanted.staged = [this](const auto* package) -> const auto& {
            return staged(package);
        };
        const auto first = configured_before_kernels(wanted);
        scripts_.configure(first, MaintainerScripts::Triggers::process);
        configured_.insert(first.begin(), first.end());
        tree_changed();
        for (const auto* kernel : wanted.kernels) {
            database_.set_aside(kernel->name);
            install(kernel);
        }
        database_.flush();
        for (const auto* kernel : wanted.kernels) scripts_.start_postinst(staged(kernel), date_);
        kernels_started_ = true;
    }

    void finish_kernels() {
        if (!std::exchange(kernels_started_, false))
            return;
        scripts_.finish_postinsts();
        database_.mark_set_aside_installed();
        tree_changed();
    }

    PackageList in_pending_order(const PackageList& order) {
        std::unordered_map<std::string_view, const deb::Package*> by_name;
        std::unordered_map<std::string, const deb::Package*> qualified;
        for (const auto* package : order) {
            by_name[package->name] = package;
            qualified[fmt::format("{}:{}", package->name, package->architecture)] = package;
        }
        PackageList pending;
        for (const auto& name : scripts_.pending_order()) {
            const auto with_architecture = qualified.find(name);
            pending.push_back(with_architecture != qualified.end() ? with_architecture->second : by_name.at(name));
        }
        return pending;
    }

    PackageSet kernels_and_dependents(const PackageList& order) const {
        PackageSet late;
        for (const auto* package : order) {
            const auto& needed = needs_.at(package).before_configuring;
            if (is_kernel(staged(package)) ||
                std::any_of(needed.begin(), needed.end(), [&](const auto* other) { return late.contains(other); }))
                late.insert(package);
        }
        return late;
    }

    void install(const deb::Package* package) {
        configure_before(package);
        if (has_preinst(package)) {
            database_.flush();
            run_preinst(package);
        }
        merge(package);
    }

    // Pre-Depends are configured before the package is unpacked (Debian Policy 7.2), with all that they need: in the
    // order in which the fields name them, as apt does. trixie's systemd and passwd make accounts in their postinsts,
    // and cron-daemon-common needs both.
    void configure_before(const deb::Package* package) {
        PackageSet seen;
        PackageList now;
        for (const auto* needed : needs_.at(package).before_unpacking) collect_unconfigured(needed, seen, now);
        if (now.empty())
            return;
        database_.flush();
        scripts_.configure(now, MaintainerScripts::Triggers::defer);
        configured_.insert(now.begin(), now.end());
        tree_changed();
    }

    void collect_unconfigured(const deb::Package* package, PackageSet& seen, PackageList& found) const {
        if (configured_.contains(package) || !merged_.contains(package) || !seen.insert(package).second)
            return;
        for (const auto* needed : needs_.at(package).before_configuring) collect_unconfigured(needed, seen, found);
        found.push_back(package);
    }

    void merge(const deb::Package* package) {
        merger_.merge(staged(package));
        for (const auto& entry : staged(package).entries) date_ = std::max(date_, entry.mtime);
        merged_.insert(package);
    }

    void run_preinst(const deb::Package* package) {
        const auto others = std::count_if(merged_.begin(), merged_.end(), [&](const auto* other) {
            return other != package && other->name == package->name;
        });
        scripts_.run_preinst(staged(package), static_cast<unsigned>(others) + 1);
        tree_changed();
    }

    void tree_changed() {
        merger_.forget_directories();
        database_.load_diversions();
    }

    const ConfigureRequest& request_;
    const os::RootDir& root_;
    unpack::DpkgDatabase database_;
    unpack::TreeMerger merger_;
    MaintainerScripts scripts_;
    std::unordered_map<const deb::Package*, Needs> needs_;
    PackageSet merged_, configured_;
    std::int64_t date_ = 1;  // ConfiguredRoot::date()
    bool kernels_started_ = false;
};

void write_answers(const os::RootDir& root, const std::vector<deb::DebconfAnswer>& answers) {
    const auto database = debconf_database(answers);
    const auto write = [&](const char* path, const std::string& text, mode_t mode) {
        if (!text.empty())
            root.write(path, text, mode);
    };
    write("/var/cache/debconf/passwords.dat", database.passwords, 0600);
    write("/var/cache/debconf/config.dat", database.config, 0644);
    write("/var/cache/debconf/templates.dat", database.templates, 0644);
}

}  // namespace

ConfiguredRoot configure(const ConfigureRequest& request, Progress& progress) {
    ::chmod(request.root.c_str(), 0755);
    const os::RootDir root(request.root);
    make_skeleton(root, request.architectures, request.usr);
    write_answers(root, request.debconf);
    const auto date = Configuration(request, root, progress).run();
    request.sandbox->close();
    clean_up(root, request.architectures.native(), request.automatic);
    return ConfiguredRoot(request.root, date);
}

}  // namespace vprov::configure
