#include "cli/autostart_saves.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "cli/engine.h"
#include "hypervisor/save/save.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

void make_directory(const fs::path& directory) {
    std::error_code failure;
    fs::create_directories(directory, failure);
    if (failure)
        throw system_error(ErrorKind::hypervisor, failure.value(), "cannot make " + quote(directory.native()));
}

}  // namespace

bool AutostartSaves::save(const std::string& name) const {
    if (directory_.empty())
        return false;
    try {
        const auto domains = qemu_domains(session_, "autostart stop --save");
        make_directory(directory_);
        hypervisor::save_domain(domains, name, file_of(name), {});
        domains.wait_until_gone(name, std::nullopt);
        return true;
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        fmt::print(stderr, "vprov: {}\n", e.message());
        return false;
    }
}

bool AutostartSaves::restore(const std::string& name) const {
    std::error_code failure;
    const auto file = file_of(name);
    if (directory_.empty() || !fs::exists(file, failure))
        return false;
    try {
        const auto domains = qemu_domains(session_, "autostart start --save");
        const auto restored = hypervisor::restore_domain(domains, file, {session_.executable});
        for (const auto& warning : restored.warnings) fmt::print(stderr, "vprov: warning: {}: {}\n", name, warning);
        fs::remove(file, failure);
        return true;
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        // it boots now, and writes to its disks: what was saved fits them no more
        auto refused = file;
        refused += ".refused";
        fs::rename(file, refused, failure);
        fmt::print(stderr, "vprov: {}; it boots, and its state is kept in {}\n", e.message(),
                   failure ? file.native() : refused.native());
        return false;
    }
}

}  // namespace vprov::cli
