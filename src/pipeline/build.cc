#include "pipeline/build.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "config-render/accounts.h"
#include "config-render/guest_files.h"
#include "config-render/ssh_host_keys.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"
#include "pipeline/base_image.h"
#include "pipeline/boot_loader.h"
#include "pipeline/built_guest.h"
#include "pipeline/clonability.h"
#include "pipeline/configurations.h"
#include "pipeline/disk_images.h"
#include "pipeline/guest_images.h"
#include "pipeline/guest_name.h"
#include "pipeline/guest_tree.h"
#include "pipeline/manifest.h"
#include "pipeline/output_directory.h"
#include "pipeline/sealed_tree.h"
#include "pipeline/selections.h"
#include "pipeline/shared_bases.h"
#include "pipeline/unique_files.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

using Passwords = std::vector<std::pair<std::string, std::string>>;

fs::path write_passwords(const Passwords& passwords, const fs::path& directory) {
    if (passwords.empty())
        return {};
    std::string text;
    for (const auto& [user, password] : passwords) text += fmt::format("{}: {}\n", user, password);
    os::write_file(directory / "passwords", text, 0600);
    return "passwords";
}

// Before anything is fetched: packages that say themselves that they are larger than the disk cannot fit on it.
void check_room(const plan::Plan& plan, const resolve::PackageSet& packages) {
    const auto& root = plan.layout.root();
    const auto volumes = plan.layout.volumes();
    const bool holds_everything = std::all_of(volumes.begin(), volumes.end(), [](const auto* volume) {
        return volume->mount.empty() || volume->mount == "/";
    });
    if (holds_everything && root.size.value > 0 && packages.installed_size() > root.size)
        throw error(ErrorKind::disk, "cannot fit {} packages on {}: they take {} when installed, the disk has {}",
                    packages.packages.size(), quote(root.name), human(packages.installed_size()), human(root.size));
}

os::TempDir make_build_directory(const plan::Plan& plan) {
    auto work = make_work_directory(plan.output.parent_path(), plan.name);
    for (const auto* name : {"root", "result", "scratch"}) fs::create_directory(work.path() / name);
    return work;
}

// Under the guest's name everybody may look into it.
void publish_guest(const fs::path& finished, const plan::Plan& plan) {
    fs::permissions(finished, fs::perms(0755));
    publish(finished, plan.output);
}

std::vector<std::string> files_in(const fs::path& directory) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (!entry.is_directory())
            files.push_back(entry.path().lexically_relative(directory).native());
    std::ranges::sort(files);
    return files;
}

// Volumes that are not there yet, and those that an earlier build of the guest has made.
void note_made_volumes(plan::Plan& plan) {
    std::vector<std::string> earlier;
    for (const auto& guest : built_guests(plan.output.parent_path()))
        if (guest.name == plan.name)
            earlier = guest.volumes;
    for (auto& disk : plan.layout.disks)
        disk.made = !disk.device.empty() &&
                    (!fs::exists(disk.device) || std::ranges::find(earlier, disk.device) != earlier.end());
}

// One guest on its way from packages to images.
class GuestBuild {
  public:
    GuestBuild(const plan::Plan& plan, Selections& selections, BaseChecks& checks, const Environment& environment)
        : plan_(plan),
          written_(plan),
          checks_(checks),
          environment_(environment),
          timer_(environment.progress),
          work_(make_build_directory(plan)) {
        request_ = guest_request(plan, kUnnamedGuest);
        request_.root = work_.path() / "root";
        request_.work = work_.path() / "scratch";
        request_.script_logs = work_.path() / "log";
        selection_ = selections.find(request_);
        if (selection_)
            return;
        make_own_sandbox();  // while this process is small
        selection_ = selections.add(request_, select_packages(request_, environment, timer_));
    }

    // Whether nothing but a copy of images has to be made.
    bool has_base() {
        if (base_ || !may_keep_base())
            return base_.has_value();
        const auto layer = inputs_of(guest_request(plan_, selection_->packages), selection_->packages);
        base_ = BaseImages(cache_).find(base_inputs(plan_, layer.digest().hex()));
        return base_.has_value();
    }

    BuildResult finish() {
        const auto result = work_.path() / "result";
        check_room(plan_, selection_->packages);
        begin_own_key();
        const auto passwords = write_passwords(is_clonable() ? images_by_base() : images_of_tree(), result);
        timer_.start(Stage::render);
        const auto configurations = write_configurations(written_, result, environment_.progress);
        timer_.finish(joined(configurations, ", "));
        os::write_file(result / "manifest.json",
                       write_manifest(written_, *selection_, timer_.times(), host_keys_, files_in(result)));
        publish_guest(result, plan_);
        if (disks_)
            disks_->keep();
        return {plan_.output, plan_.output / configurations.front(),
                passwords.empty() ? fs::path{} : plan_.output / passwords, timer_.times(), written_.layout};
    }

  private:
    void make_own_sandbox() {
        if (!request_.sandbox)
            request_.sandbox = make_sandbox(request_);
    }

    // Of the host keys the one that takes long, unless it is known or goes.
    void begin_own_key() {
        using Haste = render::EarlyHostKey::Haste;
        const auto& identity = plan_.recipe.identity;
        if (!identity.is_template && !identity.ssh_host_keys && plan_.known.files.empty())
            early_ = begin_host_key(selection_->packages, plan_.hostname, has_base() ? Haste::now : Haste::later);
    }

    bool is_clonable() const { return why_not_cloned(plan_).empty(); }

    bool may_keep_base() const {
        return is_clonable() && environment_.layers == LayerUse::reuse && request_.network == configure::Network::none;
    }

    Installed installed() {
        make_own_sandbox();
        return install_guest(request_, plan_, *selection_, environment_, timer_);
    }

    Passwords images_of_tree() {
        auto configured = installed();
        timer_.start(Stage::personalise);
        add_boot_loader(configured.root(), plan_);
        const auto tree =
            seal(std::move(configured), plan_, selection_->packages,
                 {environment_.now, request_.work, request_.script_logs, environment_.progress, early_.get()});
        timer_.finish(plan_.fqdn);
        host_keys_ = render::host_keys(tree.root());
        timer_.start(Stage::write);
        written_.layout = settled_layout(tree, plan_);
        note_made_volumes(written_);
        write_kernel(tree, plan_, work_.path() / "result");
        disks_ = write_disks(tree, written_, work_.path() / "result", environment_.runner);
        fs::rename(request_.script_logs, work_.path() / "result/log");
        timer_.finish(fmt::format("{} images", plan_.layout.disks.size()));
        return tree.passwords();
    }

    void add_boot_loader(const os::RootDir& root, const plan::Plan& plan) {
        if (plan.boot.method == recipe::BootMethod::direct)
            return;
        request_.sandbox = {};
        const auto sandbox = make_sandbox(request_);
        install_boot_loader(root, plan, *sandbox);
    }

    Passwords images_by_base() {
        if (has_base()) {
            if (request_.sandbox)
                request_.sandbox->close();
            request_.sandbox = {};
            if (auto passwords = images_of_kept_base())
                return *passwords;
        }
        const auto use = make_new_base();
        return images_of(use, "");
    }

    // nullopt for a base that is damaged, which is gone then.
    std::optional<Passwords> images_of_kept_base() {
        auto intact = checks_.begin(*base_);
        std::optional<Passwords> passwords;
        try {
            passwords =
                images_of(BaseUse::copy, fmt::format(", from base {:.12}", base_->directory.filename().native()));
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted || intact.get())
                throw;
        }
        if (intact.get())
            return passwords;
        environment_.progress.warning(fmt::format("the base {:.12} in the cache is damaged: it is made anew",
                                                  base_->directory.filename().native()));
        BaseImages(cache_).remove(*base_);
        base_.reset();
        bases_.clear();
        begin_own_key();
        os::remove_tree(work_.path() / "identity");
        for (const auto& entry : fs::directory_iterator(work_.path() / "result")) os::remove_tree(entry.path());
        return std::nullopt;
    }

    Passwords images_of(BaseUse use, const std::string& origin) {
        timer_.start(Stage::personalise);
        const auto scratch = work_.path() / "identity";
        fs::create_directory(scratch);
        auto made = make_guest(*base_, use, plan_, selection_->packages, scratch, work_.path() / "result",
                               environment_.runner, early_.get());
        written_.layout = std::move(made.layout);
        bases_ = std::move(made.bases);
        host_keys_ = render::host_keys(os::RootDir(scratch));
        timer_.finish(plan_.fqdn + origin);
        return std::move(made.passwords);
    }

    BaseUse make_new_base() {
        auto configured = installed();
        const auto layer = configured.layer;
        timer_.start(Stage::write);
        add_boot_loader(configured.root(), base_plan(plan_));
        const auto inputs = base_inputs(plan_, layer);
        const BaseImages bases(cache_);
        const bool kept = may_keep_base() && !layer.empty();
        const auto begun = kept ? bases.begin() : os::TempDir(work_.path(), "base-");
        const auto place = begun.path() / "base";
        fs::create_directory(place);
        base_ = make_base(std::move(configured), plan_, inputs, request_.script_logs, place, environment_.runner);
        removal_ = std::async(std::launch::async, os::remove_tree, request_.root);  // beside all that follows
        if (kept)
            base_ = bases.keep(begun, inputs);
        else
            base_->directory = kept_here(place);
        timer_.finish(fmt::format("{} images", plan_.layout.disks.size()));
        return kept ? BaseUse::copy : BaseUse::consume;
    }

    // Beside the tree, for as long as this build lives.
    fs::path kept_here(const fs::path& made) const {
        const auto place = work_.path() / "base";
        fs::rename(made, place);
        return place;
    }

    const plan::Plan& plan_;
    plan::Plan written_;  // with the sizes that follow from the content
    BaseChecks& checks_;
    const Environment environment_;
    StageTimer timer_;
    os::TempDir work_;
    archive::Cache cache_{plan_.cache.empty() ? archive::Cache::default_directory() : plan_.cache};
    BootstrapRequest request_;
    std::shared_ptr<const Selection> selection_;
    std::optional<BaseImage> base_;
    std::future<void> removal_;      // waits when it goes, before the work directory does
    std::vector<SharedBase> bases_;  // held until the manifest names them
    std::unique_ptr<render::EarlyHostKey> early_;
    std::vector<render::HostKey> host_keys_;
    std::unique_ptr<WrittenDisks> disks_;  // before the work directory goes
};

void check_beforehand(const plan::Plan& plan, os::CommandRunner& runner) {
    check_overlays(plan);
    if (::geteuid() != 0)
        throw error(ErrorKind::usage, "cannot build {}: packages' scripts need root", quote(plan.name));
    render::check_passwords(plan);
    if (plan.recipe.identity.ssh_host_keys)
        render::given_host_keys(plan);  // throws now rather than when all is done
    // what a killed build has left, even if the disks are refused
    remove_stale_work(plan.output.parent_path(), plan.name);
    check_disks(plan, runner);
}

// Guests whose base is there are independent of each other: on all cores. The first failure ends what has not begun.
void finish_side_by_side(std::vector<std::pair<std::size_t, std::unique_ptr<GuestBuild>>>& builds,
                         const std::vector<plan::Plan>& plans, std::vector<BuildResult>& results, Progress& progress) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&] {
        for (auto i = next++; i < builds.size(); i = next++) {
            auto& [number, guest] = builds[i];
            try {
                os::check_stop();
                const auto begin = std::chrono::steady_clock::now();
                results[number] = guest->finish();
                guest.reset();
                const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
                progress.finished(Stage::personalise, taken.count(), plans[number].fqdn);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure)
                    failure = std::current_exception();
                next = builds.size();
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        // while one waits for the disk, another makes its host keys
        const std::size_t wanted = 2 * std::max(1U, std::thread::hardware_concurrency());
        for (std::size_t i = 0; i < std::min(wanted, builds.size()); ++i) threads.emplace_back(work);
    }
    if (failure)
        std::rethrow_exception(failure);
}

void remove_bases_of_earlier_builds(const std::vector<plan::Plan>& plans) {
    std::set<fs::path> outputs;
    for (const auto& plan : plans) outputs.insert(plan.output.parent_path());
    for (const auto& output : outputs) remove_unused_bases(output);
}

}  // namespace

BuildResult build_description(const plan::Plan& plan, Progress& progress) {
    const auto work = make_build_directory(plan);
    const auto result = work.path() / "result";
    StageTimer timer(progress);
    timer.start(Stage::render);
    const auto configurations = write_configurations(plan, result, progress);
    timer.finish(joined(configurations, ", "));
    os::write_file(result / "manifest.json", write_manifest(plan, files_in(result)));
    publish_guest(result, plan);
    return {plan.output, plan.output / configurations.front(), {}, timer.times()};
}

std::vector<BuildResult> build_all(const std::vector<plan::Plan>& plans, const RunEnvironment& run) {
    refuse_same_devices(plans);
    for (const auto& plan : plans) check_beforehand(plan, run.runner);
    std::vector<BuildResult> results(plans.size());
    Selections selections;
    BaseChecks checks;
    SilentProgress silent;
    std::vector<std::pair<std::size_t, std::unique_ptr<GuestBuild>>> clones;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        Environment environment{run.transport_for(plans[i]), run.runner, run.progress, run.now, run.layers};
        if (i > 0) {
            const Environment quiet{environment.transport, run.runner, silent, run.now, run.layers};
            auto clone = std::make_unique<GuestBuild>(plans[i], selections, checks, quiet);
            if (clone->has_base()) {
                clones.emplace_back(i, std::move(clone));
                continue;
            }
        }
        results[i] = GuestBuild(plans[i], selections, checks, environment).finish();
    }
    finish_side_by_side(clones, plans, results, run.progress);
    remove_bases_of_earlier_builds(plans);
    return results;
}

}  // namespace vprov::pipeline
