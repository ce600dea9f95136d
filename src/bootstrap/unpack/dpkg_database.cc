#include "bootstrap/unpack/dpkg_database.h"

#include <fcntl.h>

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/relation.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/unpack/conffiles.h"

namespace vprov::unpack {
namespace {

constexpr std::string_view kBase = "/var/lib/dpkg";

constexpr std::string_view kSetAside = "Status: unknown ok unpacked\n";

std::string in_base(std::string_view rest) {
    return fmt::format("{}/{}", kBase, rest);
}

std::string interest_line(std::string_view package, bool await) {
    return fmt::format("{}{}\n", package, await ? "" : "/noawait");
}

}  // namespace

DpkgDatabase::DpkgDatabase(const os::RootDir& root, const deb::Architectures& architectures) : root_(root) {
    for (const auto* folder : {"info", "updates", "triggers", "alternatives", "parts"})
        root_.make_directories(in_base(folder));
    root_.write(in_base("info/format"), "1\n");
    root_.write(in_base("arch"), joined(architectures.names(), "\n") + "\n");
    for (const auto* empty : {"status", "triggers/Unincorp"})
        if (!root_.exists(in_base(empty)))
            root_.write(in_base(empty), "");
    load_diversions();
    load_stat_overrides();
}

std::string DpkgDatabase::info_name(const deb::Package& package) {
    return package.multi_arch == "same" ? fmt::format("{}:{}", package.name, package.architecture)
                                        : std::string(package.name);
}

void DpkgDatabase::add(const StagedPackage& package, std::vector<std::string> paths) {
    const auto info = info_name(*package.package);
    for (const auto& file : package.control)
        if (file.name != "control")
            root_.write(in_base(fmt::format("info/{}.{}", info, file.name)), file.content, file.mode);
    if (!package.control_file("md5sums"))
        root_.write(in_base(fmt::format("info/{}.md5sums", info)), md5sums(package, paths));
    activate_file_triggers(package, paths);
    add_interests(package);
    new_status_ += status_stanza(package);
    info_names_[std::string(package.package->name)].push_back(info);
    changed_lists_.insert(info);
    lists_[info] = std::move(paths);
}

void DpkgDatabase::remove_path(std::string_view package, std::string_view path) {
    const auto found = info_names_.find(package);
    if (found == info_names_.end())
        return;
    for (const auto& info : found->second)
        if (std::erase(lists_[info], path) > 0)
            changed_lists_.insert(info);
}

// What dpkg itself computes of a package that brings no digests: of all files that it has a claim to.
std::string DpkgDatabase::md5sums(const StagedPackage& package, const std::vector<std::string>& paths) {
    const std::unordered_set<std::string_view> listed(paths.begin(), paths.end());
    std::string text;
    for (const auto& entry : package.entries)
        if (!entry.md5.empty() && listed.contains("/" + entry.path))
            text += fmt::format("{}  {}\n", entry.md5, entry.path);
    return text;
}

// control as it is, with the state that dpkg gives a package after unpacking it; "newconffile" stands for "not
// installed yet" until dpkg --configure puts the digest there.
std::string DpkgDatabase::status_stanza(const StagedPackage& package) const {
    const auto stanza = deb::read_single_stanza(package.control_file("control")->content);
    std::string text;
    for (const auto& field : stanza.fields()) {
        if (field.name == "Status" || field.name == "Conffiles")
            continue;
        text += field.text;
        text += '\n';
        if (field.name == "Package")
            text += set_aside_.contains(package.package->name) ? kSetAside : "Status: install ok unpacked\n";
    }
    if (const auto* conffiles = package.control_file("conffiles")) {
        std::string list;
        for (const auto& conffile : read_conffiles(conffiles->content))
            list += fmt::format(" {} newconffile{}\n", conffile.path,
                                conffile.remove_on_upgrade ? " remove-on-upgrade" : "");
        if (!list.empty())
            text += "Conffiles:\n" + list;
    }
    return text + "\n";
}

void DpkgDatabase::add_interests(const StagedPackage& package) {
    const auto* triggers = package.control_file("triggers");
    if (!triggers)
        return;
    const auto info = info_name(*package.package);
    for (const auto line : split(triggers->content, '\n')) {
        const auto words = split_words(line.substr(0, line.find('#')));
        if (words.size() != 2 || !words[0].starts_with("interest"))
            continue;
        // It becomes the name of a file.
        if (!words[1].starts_with('/') && !deb::is_package_name(words[1]))
            throw error(ErrorKind::archive, "its triggers names {}, which is no trigger",
                        quote(words[1].substr(0, 100)));
        const bool await = words[0] != "interest-noawait";
        if (words[1].starts_with('/'))
            file_interests_.emplace_back(std::string(words[1]), Interest{info, await});
        else
            explicit_interests_[std::string(words[1])].push_back({info, await});
    }
}

void DpkgDatabase::activate_file_triggers(const StagedPackage& package, const std::vector<std::string>& paths) {
    for (const auto& [trigger, interest] : file_interests_) {
        const bool concerned = std::any_of(paths.begin(), paths.end(), [&trigger = trigger](const auto& path) {
            return path.starts_with(trigger) && (path.size() == trigger.size() || path[trigger.size()] == '/');
        });
        if (concerned)
            activated_[trigger].insert(interest.await ? info_name(*package.package) : "-");
    }
}

void DpkgDatabase::write_lists() {
    for (const auto& info : changed_lists_) {
        std::string text;
        for (const auto& path : lists_[info]) {
            text += path;
            text += '\n';
        }
        root_.write(in_base(fmt::format("info/{}.list", info)), text);
    }
    changed_lists_.clear();
}

void DpkgDatabase::write_triggers() {
    std::string interests;
    for (const auto& [path, interest] : file_interests_)
        interests += path + " " + interest_line(interest.package, interest.await);
    if (interests != written_file_interests_)
        root_.write(in_base("triggers/File"), interests);
    written_file_interests_ = std::move(interests);
    for (const auto& [trigger, packages] : explicit_interests_) {
        std::string text;
        for (const auto& interest : packages) text += interest_line(interest.package, interest.await);
        root_.write(in_base("triggers/" + trigger), text);
    }
    if (activated_.empty())
        return;
    auto pending = root_.read_if_exists(in_base("triggers/Unincorp")).value_or("");
    for (const auto& [trigger, awaiting] : activated_) {
        pending += trigger;
        for (const auto& package : awaiting) pending += " " + package;
        pending += '\n';
    }
    root_.write(in_base("triggers/Unincorp"), pending);
    activated_.clear();
}

void DpkgDatabase::flush() {
    write_lists();
    write_triggers();
    if (new_status_.empty())
        return;
    auto status = root_.read(in_base("status"));
    if (!status.empty() && !status.ends_with("\n\n"))
        status += '\n';
    root_.write(in_base("status"), status + new_status_);
    new_status_.clear();
}

void DpkgDatabase::mark_set_aside_installed() {
    auto status = root_.read(in_base("status"));
    for (const auto& name : set_aside_) {
        const auto stanza = fmt::format("Package: {}\n{}", name, kSetAside);
        const auto at = ("\n" + status).find("\n" + stanza);
        if (at == std::string::npos)
            throw error(ErrorKind::internal, "internal error: package {} is not set aside", quote(name));
        status.replace(at, stanza.size(), fmt::format("Package: {}\nStatus: install ok installed\n", name));
    }
    root_.write(in_base("status"), status);
    set_aside_.clear();
}

void DpkgDatabase::load_diversions() {
    diversions_.clear();
    const auto text = root_.read_if_exists(in_base("diversions")).value_or("");
    const auto lines = split(text, '\n');
    for (std::size_t i = 0; i + 2 < lines.size(); i += 3)
        diversions_[std::string(lines[i])] = {std::string(lines[i + 1]), std::string(lines[i + 2])};
}

void DpkgDatabase::load_stat_overrides() {
    if (const auto overrides = root_.read_if_exists(in_base("statoverride")); overrides && !overrides->empty())
        stat_overrides_ = read_stat_overrides(*overrides, root_.read_if_exists("/etc/passwd").value_or(""),
                                              root_.read_if_exists("/etc/group").value_or(""));
}

const StatOverride* DpkgDatabase::stat_override(std::string_view path) const {
    const auto found = stat_overrides_.find(path);
    return found == stat_overrides_.end() ? nullptr : &found->second;
}

std::optional<std::string> DpkgDatabase::diverted(std::string_view path, std::string_view package) const {
    const auto found = diversions_.find(path);
    if (found == diversions_.end() || found->second.package == package)
        return std::nullopt;
    return found->second.to;
}

}  // namespace vprov::unpack
