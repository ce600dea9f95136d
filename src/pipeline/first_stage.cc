#include "pipeline/first_stage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/base_system.h"
#include "bootstrap/configure/install_order.h"
#include "bootstrap/configure/sandbox.h"
#include "bootstrap/unpack/dpkg_database.h"
#include "bootstrap/unpack/staging.h"
#include "bootstrap/unpack/tree_merger.h"
#include "config-render/templates.h"
#include "pipeline/deb_folder.h"

namespace vprov::pipeline {
namespace {

using PackageList = std::vector<const deb::Package*>;
using Places = std::unordered_map<const deb::Package*, Unpacking>;

constexpr const char* kScript = "/debootstrap/debootstrap";
constexpr const char* kArchives = "var/cache/apt/archives";
constexpr std::size_t kKeptLines = 15;

PackageList packages_of(const Selection& selection) {
    PackageList packages;
    for (const auto& selected : selection.packages.packages) packages.push_back(selected.package);
    return packages;
}

// The steps as they come to be.
class Steps {
  public:
    explicit Steps(const PackageList& packages) : needs_(configure::direct_needs(packages)) {}

    void run_preinst(const deb::Package& package) {
        lines_.push_back(fmt::format("preinst {} {} {}", package.name, package.architecture,
                                     unpack::DpkgDatabase::info_name(package)));
    }

    void configure(const PackageList& packages) {
        if (packages.empty())
            return;
        std::string line = "configure";
        for (const auto* package : packages) line += fmt::format(" {}", unpack::DpkgDatabase::info_name(*package));
        lines_.push_back(line);
        configured_.insert(packages.begin(), packages.end());
    }

    // With what has to be configured before it (Debian Policy 7.2), in the order of `order`.
    void unpack(const deb::Package& package, const PackageList& order) {
        std::unordered_set<const deb::Package*> wanted;
        for (const auto* needed : needs_.at(&package).before_unpacking) collect(needed, wanted);
        PackageList first;
        std::ranges::copy_if(order, std::back_inserter(first), [&](const auto* one) { return wanted.contains(one); });
        configure(first);
        lines_.push_back("unpack " + deb_name(package));
    }

    std::vector<std::string> take() {
        lines_.emplace_back("pending");
        return std::move(lines_);
    }

  private:
    void collect(const deb::Package* package, std::unordered_set<const deb::Package*>& wanted) const {
        if (configured_.contains(package) || !wanted.insert(package).second)
            return;
        for (const auto* needed : needs_.at(package).before_configuring) collect(needed, wanted);
    }

    std::unordered_map<const deb::Package*, configure::Needs> needs_;
    std::unordered_set<const deb::Package*> configured_;
    std::vector<std::string> lines_;
};

Places places_of(const PackageList& packages, unpack::Stager& stager) {
    const auto essential = configure::essential_closure(packages);
    Places places;
    for (const auto* package : packages)
        places[package] = stager.get(*package).control_file("preinst") ? Unpacking::on_target : Unpacking::here;
    for (const auto* package : essential)
        if (places[package] == Unpacking::on_target)
            places[package] = Unpacking::here_with_preinst;
    return places;
}

void merge_all(const PackageList& packages, const Places& places, unpack::Stager& stager, const os::RootDir& root,
               const deb::Architectures& architectures) {
    unpack::DpkgDatabase database(root, architectures);
    unpack::TreeMerger merger(root, database);
    auto order = configure::essential_closure(packages);
    std::unordered_set<const deb::Package*> taken(order.begin(), order.end());
    for (const auto* package : configure::install_order(packages))
        if (places.at(package) != Unpacking::on_target && taken.insert(package).second)
            order.push_back(package);
    for (const auto* package : order) merger.merge(stager.get(*package));
    database.flush();
}

PackageList automatic_packages(const Selection& selection) {
    PackageList automatic;
    for (const auto& selected : selection.packages.packages)
        if (selected.automatic)
            automatic.push_back(selected.package);
    return automatic;
}

void write_second_stage(const os::RootDir& root, const std::vector<std::string>& steps) {
    root.write(kScript, render::rendered("second-stage", {}), 0755);
    root.write("/debootstrap/steps", joined(steps, "\n") + "\n");
}

}  // namespace

std::vector<std::string> second_stage_steps(const PackageList& packages, const Places& unpacking) {
    const auto essential = configure::essential_closure(packages);
    const auto order = configure::install_order(packages);
    Steps steps(packages);
    for (const auto* package : essential)
        if (unpacking.at(package) == Unpacking::here_with_preinst)
            steps.run_preinst(*package);
    steps.configure(essential);
    for (const auto* package : order)
        if (unpacking.at(package) == Unpacking::on_target)
            steps.unpack(*package, order);
    return steps.take();
}

void unpack_first_stage(const BootstrapRequest& request, const Selection& selection, const FirstStageNotes& notes,
                        const Environment& environment, StageTimer& timer) {
    const auto packages = packages_of(selection);
    archive::Cache cache(request.cache.empty() ? archive::Cache::default_directory() : request.cache);
    std::filesystem::create_directory(request.work / "stage");
    unpack::Stager stager(request.work / "stage", environment.progress);
    timer.start(Stage::fetch);
    archive::fetch_packages(selection.index, packages, environment.transport, cache, environment.progress,
                            [&](const archive::DebFile& file) { stager.add(*file.package, file.path); });
    timer.finish(fmt::format("{} packages, {}", packages.size(), human(selection.packages.download_size())));

    timer.start(Stage::unpack);
    const auto places = places_of(packages, stager);
    ::chmod(request.root.c_str(), 0755);
    const os::RootDir root(request.root);
    configure::make_skeleton(root, request.architectures(), request.usr);
    merge_all(packages, places, stager, root, request.architectures());
    if (request.prepare)
        request.prepare(root);
    root.make_directories("/var/lib/apt/lists");  // apt itself is left to the target, as it has a preinst
    configure::clean_up(root, request.architecture, automatic_packages(selection));
    PackageList left;
    std::ranges::copy_if(packages, std::back_inserter(left),
                         [&](const auto* package) { return places.at(package) == Unpacking::on_target; });
    keep_debs(request.root / kArchives, left, cache);
    write_first_stage_notes(request.root / "debootstrap", notes, selection.packages);
    write_second_stage(root, second_stage_steps(packages, places));
    timer.finish(fmt::format("{} packages, {} left to the second stage", packages.size() - left.size(), left.size()));
}

void run_second_stage(const std::filesystem::path& tree, const std::filesystem::path& work, Progress& progress) {
    const os::RootDir root(tree);
    if (!root.exists(kScript) || !root.exists("/debootstrap/steps"))
        throw error(ErrorKind::usage, "cannot complete {}: it has no {}, which --foreign leaves there",
                    quote(tree.native()), kScript);
    if (root.exists("/debootstrap/arch"))
        check_scripts_run(trimmed(os::read_file(root.open("/debootstrap/arch", O_RDONLY), "/debootstrap/arch")), tree);
    std::deque<std::string> last;
    configure::SandboxCommand command;
    command.argv = {kScript, "--second-stage"};
    command.environment = configure::maintainer_environment();
    command.environment["VPROV_SANDBOX"] = "1";
    command.on_output = [&](std::string_view line) {
        progress.detail(line);
        last.emplace_back(line);
        if (last.size() > kKeptLines)
            last.pop_front();
    };
    configure::Sandbox sandbox(tree, work, "localhost");
    if (const int status = sandbox.run(command); status != 0)
        throw error(ErrorKind::script, "cannot complete {}: {} ended with exit status {}; it said:\n  {}",
                    quote(tree.native()), kScript, status, joined(std::vector(last.begin(), last.end()), "\n  "));
}

}  // namespace vprov::pipeline
