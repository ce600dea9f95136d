#include "cli/bootstrap_command.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "bootstrap/configure/base_system.h"
#include "bootstrap/pack/apt_tarball.h"
#include "cli/acting_as_root.h"
#include "cli/bootstrap_plan.h"
#include "os/temp_dir.h"
#include "pipeline/apt_lists.h"
#include "pipeline/deb_folder.h"
#include "pipeline/first_stage.h"
#include "pipeline/guest_tree.h"
#include "pipeline/recording_transport.h"
#include "pipeline/tarball_source.h"
#include "pipeline/tree_settings.h"
#include "pipeline/tree_target.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;

constexpr const char* kArchives = "var/cache/apt/archives";
constexpr const char* kLists = "var/lib/apt/lists";

// https://reproducible-builds.org/specs/source-date-epoch/
std::optional<std::int64_t> source_date_epoch() {
    const char* text = std::getenv("SOURCE_DATE_EPOCH");
    if (!text || !*text)
        return std::nullopt;
    const std::string_view digits = text;
    std::int64_t seconds = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (failure != std::errc() || end != digits.data() + digits.size() || seconds < 0)
        throw error(ErrorKind::usage, "cannot use SOURCE_DATE_EPOCH {}: it is no number of seconds", quote(digits));
    return seconds;
}

archive::CurlOptions transfer_options(const BootstrapCommand& command) {
    archive::CurlOptions options;
    options.certificate = command.certificate;
    options.private_key = command.private_key;
    options.ca_certificates = command.ca_certificates;
    options.check_certificate = command.check_certificate;
    return options;
}

bool leaves_lists(const BootstrapCommand& command) {
    return command.called_as == CalledAs::debootstrap || command.action == BootstrapAction::download_only ||
           command.action == BootstrapAction::make_tarball;
}

class Bootstrap {
  public:
    Bootstrap(const BootstrapCommand& command, Progress& progress, const BootstrapEvents& events)
        : command_(command),
          events_(events),
          plan_(plan_tree(command, plan::read_host_facts())),
          request_(pipeline::bootstrap_request(plan_)),
          network_(archive::make_curl_transport(transfer_options(command))),
          recorder_(*network_, leaves_lists(command) ? pipeline::RecordingTransport::Keep::releases
                                                     : pipeline::RecordingTransport::Keep::nothing),
          timer_(progress),
          environment_{recorder_, runner_, progress, std::time(nullptr),
                       command.deb_cache.empty() ? command.layers : pipeline::LayerUse::none} {}

    void print_debs() { select(); }

    void install() {
        const auto target = checked_target();
        pipeline::PublishOptions options{command_.size, source_date_epoch()};
        const auto work = begin(target);
        request_.sandbox = pipeline::make_sandbox(request_);
        const auto selection = command_.unpack_tarball ? select_from_tarball(work.path()) : select();
        const auto tree = pipeline::install(request_, selection, environment(), timer_);
        keep_debs(selection);
        if (tree.root().exists("/etc/apt"))
            pipeline::write_sources(tree.root(), plan_);
        if (command_.called_as == CalledAs::debootstrap && !command_.unpack_tarball &&
            tree.root().exists("/var/lib/apt/lists"))
            write_lists();  // scripts go on with apt-get install, and no update before it
        if (command_.keep_debootstrap_dir)
            write_notes(selection);
        options.devices = missing_devices(tree.root(), target);
        publish(work.path(), target, options);
    }

    void unpack_foreign() {
        const auto target = checked_target();
        pipeline::PublishOptions options{command_.size, source_date_epoch()};
        const auto work = begin(target);
        const auto selection = command_.unpack_tarball ? select_from_tarball(work.path()) : select();
        pipeline::unpack_first_stage(request_, selection, notes(), environment(), timer_);
        keep_debs(selection);
        const os::RootDir root(request_.root);
        pipeline::write_sources(root, plan_);
        if (command_.called_as == CalledAs::debootstrap && !command_.unpack_tarball)
            write_lists();
        if (command_.keep_debootstrap_dir)
            root.write("/debootstrap/keep", "");
        options.devices = missing_devices(root, target);
        publish(work.path(), target, options);
    }

    void download_only() {
        const auto target = checked_target();
        if (target.kind != pipeline::TargetKind::directory)
            throw error(ErrorKind::usage, "cannot download into {}: only a directory holds what has no system in it",
                        quote(command_.target));
        const auto work = begin(target);
        fetch_into_root();
        publish(work.path(), target, {});
    }

    void make_tarball() {
        const pipeline::TreeTarget target{pipeline::TargetKind::tar, command_.tarball, pack::Compression::gzip};
        pipeline::check_target(target, pipeline::Content::nothing);
        const auto work = begin(target);
        fetch_into_root();
        publish(work.path(), target, {{}, source_date_epoch()});
    }

  private:
    pipeline::TreeTarget checked_target() const {
        auto target = pipeline::target_of(command_.target);
        pipeline::check_target(target, command_.called_as == CalledAs::debootstrap ? pipeline::Content::anything
                                                                                   : pipeline::Content::nothing);
        return target;
    }

    os::TempDir begin(const pipeline::TreeTarget& target) {
        auto work = pipeline::make_work_directory(target);
        request_.hostname = "localhost";
        request_.usr = usr_layout(command_);
        request_.root = work.path() / "root";
        request_.work = work.path();
        fs::create_directory(request_.root);
        ::chmod(request_.root.c_str(), 0755);
        request_.prepared.emplace();
        if (command_.called_as == CalledAs::debootstrap) {
            request_.prepare = [](const os::RootDir& root) { pipeline::copy_host_settings(root); };
            request_.prepared = pipeline::host_settings();
        }
        return work;
    }

    // In a user namespace the tree has none; a tar or an image gets them as it is written.
    std::vector<pack::DeviceNode> missing_devices(const os::RootDir& root, const pipeline::TreeTarget& target) const {
        std::vector<pack::DeviceNode> devices;
        for (const auto& node : configure::missing_device_nodes(root))
            devices.push_back({node.path.substr(1), node.mode, major(node.device), minor(node.device)});
        if (!devices.empty() && target.kind == pipeline::TargetKind::directory)
            environment_.progress.warning("the tree has no device files: only root can make them in a directory");
        return devices;
    }

    const pipeline::Environment& environment() const { return from_tarball_ ? *from_tarball_ : environment_; }

    archive::Cache cache() const {
        return archive::Cache(request_.cache.empty() ? archive::Cache::default_directory() : request_.cache);
    }

    static std::vector<const deb::Package*> packages_of(const pipeline::Selection& selection) {
        std::vector<const deb::Package*> packages;
        for (const auto& selected : selection.packages.packages) packages.push_back(selected.package);
        return packages;
    }

    pipeline::Selection select() {
        auto selection = pipeline::select_packages(request_, environment(), timer_);
        events_.selected(selection);
        for (const auto& folder : {command_.deb_cache, fs::path(command_.target) / kArchives})
            if (fs::is_directory(folder))
                pipeline::adopt_debs(folder, packages_of(selection), cache());
        return selection;
    }

    pipeline::Selection select_from_tarball(const fs::path& work) {
        const auto folder = work / "tarball";
        pack::extract_apt_tarball(command_.tarball, folder);
        request_.cache = work / "cache";
        tarball_ = std::make_unique<pipeline::TarballTransport>(folder);
        from_tarball_.emplace(pipeline::Environment{*tarball_, runner_, environment_.progress, environment_.now,
                                                    pipeline::LayerUse::none});
        auto selection = pipeline::select_from_tarball(request_, folder, environment(), timer_);
        events_.selected(selection);
        return selection;
    }

    void keep_debs(const pipeline::Selection& selection) const {
        if (!command_.deb_cache.empty())
            pipeline::keep_debs(command_.deb_cache, packages_of(selection), cache());
    }

    // What debootstrap leaves after downloading: .debs, apt's lists, its notes.
    void fetch_into_root() {
        const auto selection = select();
        auto kept = cache();
        timer_.start(Stage::fetch);
        archive::fetch_packages(selection.index, packages_of(selection), recorder_, kept, environment_.progress);
        timer_.finish(fmt::format("{} packages, {}", selection.packages.packages.size(),
                                  human(selection.packages.download_size())));
        fs::create_directories(request_.root / kArchives / "partial");
        fs::create_directories(request_.root / kLists / "partial");
        keep_debs(selection);
        pipeline::keep_debs(request_.root / kArchives, packages_of(selection), kept);
        write_lists();
        write_notes(selection);
    }

    void write_lists() {
        pipeline::write_apt_lists(request_.root / kLists, request_.repositories, request_.architectures(),
                                  recorder_.releases(), cache(), *network_);
    }

    pipeline::FirstStageNotes notes() const {
        return {command_.suite, request_.architecture, plan_.repositories.front().uri,
                command_.variant == "-" ? "" : command_.variant, command_.extra_suites};
    }

    void write_notes(const pipeline::Selection& selection) const {
        pipeline::write_first_stage_notes(request_.root / "debootstrap", notes(), selection.packages);
    }

    void publish(const fs::path& work, const pipeline::TreeTarget& target, const pipeline::PublishOptions& options) {
        const bool is_file = target.kind != pipeline::TargetKind::directory;
        if (is_file)
            timer_.start(Stage::write);
        pipeline::publish_tree(request_.root, work, target, options, runner_);
        if (is_file)
            timer_.finish(target.path.empty() ? "standard output" : target.path.filename().native());
    }

    const BootstrapCommand& command_;
    const BootstrapEvents& events_;
    plan::Plan plan_;
    pipeline::BootstrapRequest request_;
    std::unique_ptr<archive::Transport> network_;
    pipeline::RecordingTransport recorder_;
    os::SystemCommandRunner runner_;
    pipeline::StageTimer timer_;
    pipeline::Environment environment_;
    std::unique_ptr<pipeline::TarballTransport> tarball_;
    std::optional<pipeline::Environment> from_tarball_;
};

// In the tree itself there is nothing to be kept apart from: its script takes our place.
void complete(const BootstrapCommand& command, Progress& progress) {
    const auto tree = fs::canonical(command.second_stage_target);
    if (tree != "/") {
        const os::TempDir work(fs::temp_directory_path(), "vprov-second-stage-");
        return pipeline::run_second_stage(tree, work.path(), progress);
    }
    constexpr const char* kScript = "/debootstrap/debootstrap";
    ::execl(kScript, kScript, "--second-stage", command.keep_debootstrap_dir ? "--keep-debootstrap-dir" : nullptr,
            nullptr);
    throw system_error(ErrorKind::usage, errno, fmt::format("cannot run {}", kScript));
}

}  // namespace

void run_bootstrap(const BootstrapCommand& command, Progress& progress, const BootstrapEvents& events) {
    const auto as_root = [&](const std::function<void()>& work) {
        act_as_root(progress, [&] {
            work();
            return std::string();
        });
    };
    switch (command.action) {
        case BootstrapAction::print_debs:
            return Bootstrap(command, progress, events).print_debs();
        case BootstrapAction::install:
            return as_root([&] { Bootstrap(command, progress, events).install(); });
        case BootstrapAction::foreign:
            return as_root([&] { Bootstrap(command, progress, events).unpack_foreign(); });
        case BootstrapAction::download_only:
            return Bootstrap(command, progress, events).download_only();
        case BootstrapAction::make_tarball:
            return Bootstrap(command, progress, events).make_tarball();
        case BootstrapAction::second_stage:
            return as_root([&] { complete(command, progress); });
    }
}

}  // namespace vprov::cli
