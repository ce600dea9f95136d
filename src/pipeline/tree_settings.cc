#include "pipeline/tree_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/text.h"
#include "config-render/guest_files.h"
#include "config-render/sources.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {

bool is_plain(const plan::PlannedRepository& repository) {
    return repository.check_valid_until &&
           (repository.trusted || repository.signed_by.parent_path() == "/usr/share/keyrings");
}

bool is_local(std::string_view uri) {
    return uri.starts_with("file:") || uri.starts_with("copy:");
}

std::string source_line(const plan::PlannedRepository& repository) {
    return fmt::format("deb {}{} {} {}\n", repository.trusted ? "[trusted=yes] " : "", repository.uri, repository.suite,
                       joined(repository.components, " "));
}

constexpr std::array<std::string_view, 2> kCopied = {"etc/resolv.conf", "etc/hostname"};

}  // namespace

void write_sources(const os::RootDir& root, const plan::Plan& plan) {
    const auto& all = plan.repositories;
    if (!std::ranges::all_of(all, is_plain) ||
        std::ranges::any_of(all, [](const auto& repository) { return is_local(repository.uri); }))
        return render::write_guest_files(root, render::source_files(plan));
    std::string lines;
    for (const auto& repository : all) lines += source_line(repository);
    root.write("/etc/apt/sources.list", lines);
}

std::vector<std::string> host_settings(const std::filesystem::path& host) {
    std::vector<std::string> settings = {"/etc/fstab unconfigured"};
    std::error_code failure;
    for (const auto path : kCopied)
        if (std::filesystem::is_regular_file(host / path, failure))
            settings.push_back(fmt::format("/{} {}", path, sha256(os::read_file(host / path)).hex()));
    return settings;
}

void copy_host_settings(const os::RootDir& root, const std::filesystem::path& host) {
    std::error_code failure;
    for (const auto path : kCopied)
        if (std::filesystem::is_regular_file(host / path, failure) && !root.exists(path))
            root.write(path, os::read_file(host / path));
    if (!root.exists("/etc/fstab"))
        root.write("/etc/fstab", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n");
}

}  // namespace vprov::pipeline
