#include "cli/bootstrap_command.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "bootstrap/configure/base_system.h"
#include "cli/acting_as_root.h"
#include "cli/bootstrap_plan.h"
#include "pipeline/build.h"
#include "pipeline/tree_settings.h"
#include "pipeline/tree_target.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;

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

class Bootstrap {
  public:
    Bootstrap(const BootstrapCommand& command, Progress& progress, const BootstrapEvents& events)
        : command_(command),
          progress_(progress),
          events_(events),
          plan_(plan_tree(command, plan::read_host_facts())),
          request_(pipeline::bootstrap_request(plan_)),
          transport_(archive::make_curl_transport()),
          timer_(progress),
          environment_{*transport_, runner_, progress, std::time(nullptr)} {
        request_.hostname = "localhost";
    }

    void print_debs() { select(); }

    void install() {
        const auto target = pipeline::target_of(command_.target);
        pipeline::check_target(target, command_.called_as == CalledAs::debootstrap ? pipeline::Content::anything
                                                                                   : pipeline::Content::nothing);
        pipeline::PublishOptions options{command_.size, source_date_epoch()};
        const auto work = pipeline::make_work_directory(target);
        request_.root = work.path() / "root";
        request_.work = work.path();
        fs::create_directory(request_.root);
        request_.sandbox = pipeline::make_sandbox(request_);
        if (command_.called_as == CalledAs::debootstrap)
            request_.prepare = [](const os::RootDir& root) { pipeline::copy_host_settings(root); };
        const auto selection = select();
        const auto tree = pipeline::install(request_, selection, environment_, timer_);
        if (tree.root().exists("/etc/apt"))
            pipeline::write_sources(tree.root(), plan_);
        for (const auto& node : configure::missing_device_nodes(tree.root()))
            options.devices.push_back({node.path.substr(1), node.mode, major(node.device), minor(node.device)});
        if (!options.devices.empty() && target.kind == pipeline::TargetKind::directory)
            progress_.warning("the tree has no device files: only root can make them in a directory");
        publish(work.path(), target, options);
    }

  private:
    pipeline::Selection select() {
        auto selection = pipeline::select_packages(request_, environment_, timer_);
        events_.selected(selection.packages);
        return selection;
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
    Progress& progress_;
    const BootstrapEvents& events_;
    plan::Plan plan_;
    pipeline::BootstrapRequest request_;
    std::unique_ptr<archive::Transport> transport_;
    os::SystemCommandRunner runner_;
    pipeline::StageTimer timer_;
    pipeline::Environment environment_;
};

}  // namespace

void run_bootstrap(const BootstrapCommand& command, Progress& progress, const BootstrapEvents& events) {
    switch (command.action) {
        case BootstrapAction::print_debs:
            return Bootstrap(command, progress, events).print_debs();
        case BootstrapAction::install:
            act_as_root(progress, [&] {
                Bootstrap(command, progress, events).install();
                return std::string();
            });
            return;
        case BootstrapAction::foreign:
        case BootstrapAction::download_only:
        case BootstrapAction::make_tarball:
        case BootstrapAction::second_stage:
            throw error(ErrorKind::internal, "internal error: not yet");
    }
}

}  // namespace vprov::cli
