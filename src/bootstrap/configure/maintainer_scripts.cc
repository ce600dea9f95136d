#include "bootstrap/configure/maintainer_scripts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/unpack/dpkg_database.h"

namespace vprov::configure {
namespace {

constexpr std::size_t kKeptLines = 15;
constexpr std::string_view kControlPlace = "/var/lib/dpkg/tmp.ci";

// dpkg's words for a script in "installed foo package post-installation script subprocess returned ...".
std::string_view script_of(std::string_view failure) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kWords = {{{"post-installation", "postinst"},
                                                                                      {"pre-installation", "preinst"},
                                                                                      {"pre-removal", "prerm"},
                                                                                      {"post-removal", "postrm"}}};
    for (const auto& [words, script] : kWords)
        if (failure.find(words) != std::string_view::npos)
            return script;
    return {};
}

std::string said(const std::deque<std::string>& lines) {
    if (lines.empty())
        return "; it said nothing";
    std::string text = "; it said:";
    for (const auto& line : lines) text += "\n  " + line;
    return text;
}

// A script that could not write because the disk is full has done nothing wrong.
ErrorKind kind_of(const std::deque<std::string>& lines) {
    const bool full = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("No space left on device") != std::string::npos;  // strerror() of ENOSPC in the C locale
    });
    return full ? ErrorKind::disk : ErrorKind::script;
}

void keep_line(std::deque<std::string>& lines, std::string_view line) {
    if (!trimmed(line).empty())
        lines.emplace_back(line);
    if (lines.size() > kKeptLines)
        lines.pop_front();
}

// deb-version(7): [epoch:]upstream[-revision]
std::string upstream_version(std::string_view version) {
    version.remove_prefix(version.find(':') + 1);
    return std::string(version.substr(0, version.rfind('-')));
}

// The package in dpkg's "Setting up NAME (VERSION) ..." and "Processing triggers for NAME (VERSION) ...", or "".
std::string_view speaker_from(std::string_view line) {
    for (const std::string_view words : {"Setting up ", "Processing triggers for "})
        if (line.starts_with(words) && line.ends_with(" ..."))
            return line.substr(words.size(), line.find(' ', words.size()) - words.size());
    return {};
}

// initramfs-tools copies programs with cp(1), whose stand-in copies what is covered; dracut's program copies what it
// sees.
bool small_stand_ins_fit(const os::RootDir& root) {
    const auto bin = root.read_link("/bin");
    return bin && !root.exists("/usr/bin/dracut-install") && !root.exists("/usr/lib/dracut/dracut-install");
}

}  // namespace

MaintainerScripts::MaintainerScripts(Sandbox& sandbox, const os::RootDir& root, Progress& progress,
                                     const std::vector<const deb::Package*>& packages, OutputReader on_output)
    : sandbox_(sandbox), root_(root), progress_(progress), on_output_(std::move(on_output)) {
    seen_.packages_total = packages.size();
    const auto dpkg = std::ranges::find(packages, "dpkg", &deb::Package::name);
    if (dpkg != packages.end())
        dpkg_version_ = upstream_version((*dpkg)->version);
}

// As dpkg runs a script (dpkg(1), "ENVIRONMENT").
SandboxCommand MaintainerScripts::script_command(const deb::Package& package, std::string_view script,
                                                 std::vector<std::string> argv, unsigned instances) const {
    SandboxCommand command;
    command.argv = std::move(argv);
    command.environment = maintainer_environment();
    command.environment.insert({{"DPKG_MAINTSCRIPT_PACKAGE", std::string(package.name)},
                                {"DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", std::to_string(instances)},
                                {"DPKG_MAINTSCRIPT_ARCH", std::string(package.architecture)},
                                {"DPKG_MAINTSCRIPT_NAME", std::string(script)},
                                {"DPKG_MAINTSCRIPT_DEBUG", "0"},
                                {"DPKG_ADMINDIR", "/var/lib/dpkg"},
                                {"DPKG_ROOT", ""},
                                {"DPKG_RUNNING_VERSION", dpkg_version_}});
    return command;
}

void MaintainerScripts::take_output(std::string_view line) {
    const auto speaker = speaker_from(line);
    if (!speaker.empty())
        speaker_ = speaker;
    else if (on_output_ && !speaker_.empty())
        on_output_(speaker_, line);
    if (line.starts_with("Setting up "))
        last_lines_.clear();
    else
        keep_line(last_lines_, line);
    progress_.detail(line);
}

// dpkg(1), --status-fd: "processing: configure: NAME", "status: NAME : error : TEXT", "status: NAME: installed".
void MaintainerScripts::take_status(std::string_view line) {
    const auto parts = split(line, ':');
    if (parts.size() < 3)
        return;
    if (line.starts_with("processing: ")) {
        current_ = trimmed(parts[2]);
        seen_.detail = current_;
        progress_.advanced(Stage::configure, seen_);
    } else if (line.find(" : error : ") != std::string_view::npos && failure_.empty()) {
        failed_package_ = trimmed(parts[1]);
        failure_ = line.substr(line.find(" : error : ") + 11);
    } else if (line.ends_with(": installed")) {
        installed_.emplace(trimmed(parts[1]));  // said again after each trigger
        seen_.packages_done = installed_.size();
        progress_.advanced(Stage::configure, seen_);
    }
}

void MaintainerScripts::fail(std::string_view what, int status) const {
    const auto kind = kind_of(last_lines_);
    if (failure_.empty())
        throw error(kind, "cannot {}: dpkg ended with exit status {}{}", what, status, said(last_lines_));
    const auto script = script_of(failure_);
    const auto marker = failure_.rfind("status ");
    if (script.empty() || marker == std::string::npos)
        throw error(kind, "cannot configure {}: {}{}", quote(failed_package_), failure_, said(last_lines_));
    throw error(kind, "cannot configure {}: its {} ended with exit {}{}", quote(failed_package_), script,
                failure_.substr(marker), said(last_lines_));
}

int MaintainerScripts::run_dpkg(std::vector<std::string> arguments, std::optional<std::int64_t> date) {
    SandboxCommand command;
    command.argv = {"/usr/bin/dpkg", fmt::format("--status-fd={}", kStatusFd), "--force-unsafe-io", "--abort-after=1"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = maintainer_environment();
    if (date)
        command.environment["SOURCE_DATE_EPOCH"] = std::to_string(*date);
    command.on_output = [this](std::string_view line) { take_output(line); };
    command.on_status = [this](std::string_view line) { take_status(line); };
    failure_.clear();
    return sandbox_.run(command);
}

void MaintainerScripts::configure(const std::vector<const deb::Package*>& packages, Triggers triggers) {
    if (packages.empty())
        return;
    std::vector<std::string> arguments = {triggers == Triggers::defer ? "--no-triggers" : "--triggers", "--configure"};
    for (const auto* package : packages) arguments.push_back(unpack::DpkgDatabase::info_name(*package));
    if (const int status = run_dpkg(std::move(arguments)); status != 0)
        fail("configure the packages", status);
    const bool awaited = triggers == Triggers::defer &&
                         root_.read("/var/lib/dpkg/status").find(" triggers-awaited\n") != std::string::npos;
    if (!awaited)
        return;
    if (const int status = run_dpkg({"--triggers-only", "--pending"}); status != 0)
        fail("process triggers", status);
}

void MaintainerScripts::configure_pending(std::optional<std::int64_t> date) {
    if (const int status = run_dpkg({"--configure", "--pending"}, date); status != 0)
        fail("configure the packages", status);
}

std::vector<std::string> MaintainerScripts::pending_order() {
    std::vector<std::string> order;
    SandboxCommand command;
    command.argv = {"/usr/bin/dpkg", "--simulate", "--configure", "--pending"};
    command.environment = maintainer_environment();
    command.on_output = [&](std::string_view line) {
        constexpr std::string_view kSays = "Setting up ";
        if (line.starts_with(kSays))
            order.emplace_back(line.substr(kSays.size(), line.find(' ', kSays.size()) - kSays.size()));
        keep_line(last_lines_, line);
    };
    last_lines_.clear();
    if (const int status = sandbox_.run(std::move(command)); status != 0)
        fail("configure the packages", status);
    return order;
}

void MaintainerScripts::start_postinst(const unpack::StagedPackage& package, std::int64_t date) {
    if (!package.control_file("postinst"))
        return;
    const auto& self = *package.package;
    const auto file = fmt::format("/var/lib/dpkg/info/{}.postinst", unpack::DpkgDatabase::info_name(self));
    auto command = script_command(self, "postinst", {file, "configure", ""});
    command.environment["SOURCE_DATE_EPOCH"] = std::to_string(date);
    command.small_stand_ins = small_stand_ins_fit(root_);
    auto& beside = beside_.emplace_back();
    beside.package = &self;
    command.on_output = [this, &beside](std::string_view line) {
        keep_line(beside.last_lines, line);
        if (on_output_)
            on_output_(beside.package->name, line);
        progress_.detail(line);
    };
    progress_.detail(fmt::format("Setting up {} ({}), beside others ...", self.name, self.version));
    beside.ticket = sandbox_.start(std::move(command));
}

void MaintainerScripts::finish_postinsts() {
    for (; !beside_.empty(); beside_.pop_front()) {
        const auto& [package, ticket, lines] = beside_.front();
        if (const int status = sandbox_.wait(ticket); status != 0)
            throw error(kind_of(lines), "cannot configure {}: its postinst ended with exit status {}{}",
                        quote(package->name), status, said(lines));
    }
}

void MaintainerScripts::run_preinst(const unpack::StagedPackage& package, unsigned instances) {
    const auto& self = *package.package;
    for (const auto& file : package.control)
        root_.write(fmt::format("{}/{}", kControlPlace, file.name), file.content, file.mode);
    auto command = script_command(self, "preinst", {fmt::format("{}/preinst", kControlPlace), "install"}, instances);
    last_lines_.clear();
    speaker_ = self.name;
    command.on_output = [this](std::string_view line) { take_output(line); };
    const int status = sandbox_.run(command);
    for (const auto& file : package.control) root_.remove(fmt::format("{}/{}", kControlPlace, file.name));
    const auto place = root_.parent_of(kControlPlace);
    ::unlinkat(place.directory.get(), place.name.c_str(), AT_REMOVEDIR);
    if (status != 0)
        throw error(kind_of(last_lines_), "cannot install {} {}: its preinst ended with exit status {}{}",
                    quote(self.name), self.version, status, said(last_lines_));
}

}  // namespace vprov::configure
