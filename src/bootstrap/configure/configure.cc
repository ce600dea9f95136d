#include "bootstrap/configure/configure.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "bootstrap/configure/base_system.h"
#include "bootstrap/configure/install_order.h"
#include "bootstrap/configure/maintainer_scripts.h"
#include "bootstrap/configure/sandbox.h"
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
          database_(root, request.architecture),
          merger_(root, database_),
          sandbox_(root, request.work, request.hostname),
          scripts_(sandbox_, root, progress, request.packages.size()) {}

    void run() {
        const auto& all = request_.packages;
        needs_ = direct_needs(all);
        const auto essential = essential_closure(all);
        install_essential(essential);
        if (request_.prepare)
            request_.prepare(root_);
        scripts_.set_debconf_selections(request_.debconf_selections);
        install_rest(install_order(all));
    }

  private:
    const unpack::StagedPackage& staged(const deb::Package* package) const { return request_.stager->get(*package); }

    bool has_preinst(const deb::Package* package) const { return staged(package).control_file("preinst") != nullptr; }

    // Ships a kernel: its postinst makes the initramfs.
    bool has_kernel(const deb::Package* package) const {
        const auto& entries = staged(package).entries;
        return std::any_of(entries.begin(), entries.end(),
                           [](const auto& e) { return e.path.starts_with("boot/vmlinu"); });
    }

    // The essential packages are each other's ground: all must be in place before the first of their scripts runs.
    void install_essential(const PackageList& essential) {
        for (const auto* package : essential) merge(package);
        database_.flush();
        for (const auto* package : essential)
            if (has_preinst(package))
                run_preinst(package);
        scripts_.configure(essential);
        configured_.insert(essential.begin(), essential.end());
        tree_changed();
    }

    // --pending: dpkg's own order, which is what apt leaves it to and what accounts made by scripts depend on.
    void install_rest(const PackageList& order) {
        const auto late = kernels_and_dependents(order);
        for (const bool now_late : {false, true}) {
            for (const auto* package : order)
                if (!configured_.contains(package) && !merged_.contains(package) && late.contains(package) == now_late)
                    install(package, order);
            database_.flush();
            scripts_.configure_pending();
            configured_.insert(merged_.begin(), merged_.end());
        }
    }

    std::unordered_set<const deb::Package*> kernels_and_dependents(const PackageList& order) const {
        std::unordered_set<const deb::Package*> late;
        for (const auto* package : order) {
            const auto& needed = needs_.at(package).before_configuring;
            if (has_kernel(package) ||
                std::any_of(needed.begin(), needed.end(), [&](const auto* other) { return late.contains(other); }))
                late.insert(package);
        }
        return late;
    }

    void install(const deb::Package* package, const PackageList& order) {
        configure_before(package, order);
        if (has_preinst(package)) {
            database_.flush();
            run_preinst(package);
        }
        merge(package);
    }

    // Pre-Depends are configured before the package is unpacked (Debian Policy 7.2), with all that they need.
    void configure_before(const deb::Package* package, const PackageList& order) {
        std::unordered_set<const deb::Package*> wanted;
        for (const auto* needed : needs_.at(package).before_unpacking) collect_unconfigured(needed, wanted);
        PackageList now;
        for (const auto* other : order)
            if (wanted.contains(other))
                now.push_back(other);
        if (now.empty())
            return;
        database_.flush();
        scripts_.configure(now);
        configured_.insert(now.begin(), now.end());
        tree_changed();
    }

    void collect_unconfigured(const deb::Package* package, std::unordered_set<const deb::Package*>& wanted) const {
        if (configured_.contains(package) || !merged_.contains(package) || !wanted.insert(package).second)
            return;
        for (const auto* needed : needs_.at(package).before_configuring) collect_unconfigured(needed, wanted);
    }

    void merge(const deb::Package* package) {
        merger_.merge(staged(package));
        merged_.insert(package);
    }

    void run_preinst(const deb::Package* package) {
        scripts_.run_preinst(staged(package));
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
    Sandbox sandbox_;
    MaintainerScripts scripts_;
    std::unordered_map<const deb::Package*, Needs> needs_;
    std::unordered_set<const deb::Package*> merged_, configured_;
};

}  // namespace

ConfiguredRoot configure(const ConfigureRequest& request, Progress& progress) {
    ::chmod(request.root.c_str(), 0755);
    ConfiguredRoot configured(request.root);
    make_skeleton(configured.root(), request.architecture);
    Configuration(request, configured.root(), progress).run();
    clean_up(configured.root(), request.architecture, request.automatic);
    return configured;
}

}  // namespace vprov::configure
