#include "pipeline/configurations.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "config-render/passwords.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {
using recipe::ScreenPassword;

constexpr std::size_t kLongestPassword = 8;  // the key of VNC's DES; what follows would not count

std::string password_in_file(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0)
        throw system_error(ErrorKind::recipe, errno, "cannot read the VNC password in " + quote(file.native()));
    if (status.st_mode & S_IROTH)
        throw error(ErrorKind::recipe, "cannot take the VNC password from {}: everybody can read it (chmod o-r {})",
                    quote(file.native()), shell_quote(file.native()));
    return std::string(trimmed(os::read_file(file, ErrorKind::recipe)));
}

std::string password_in_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (!value || !*value)
        throw error(ErrorKind::recipe, "cannot set the VNC password: the environment variable {} is not set",
                    quote(name));
    return value;
}

std::string password_of(const ScreenPassword& asked, const recipe::Recipe& recipe) {
    switch (asked.source) {
        case ScreenPassword::Source::file:
            return password_in_file(recipe::host_path(recipe, asked.value));
        case ScreenPassword::Source::environment:
            return password_in_variable(asked.value);
        case ScreenPassword::Source::random:
            return render::random_password().substr(0, kLongestPassword);
    }
    throw error(ErrorKind::internal, "internal error: a VNC password from nowhere");
}

void set_password(hypervisor::Guest& guest, const plan::Plan& plan, const fs::path& directory) {
    const auto& asked = plan.recipe.domain.vnc.password;
    if (!asked)
        return;
    const auto password = password_of(*asked, plan.recipe);
    if (password.empty() || password.size() > kLongestPassword)
        throw error(ErrorKind::recipe, "cannot set the VNC password: it has {} characters, and VNC takes 1 to {}",
                    password.size(), kLongestPassword);
    guest.vncpasswd = password;
    if (asked->source == ScreenPassword::Source::random)
        os::write_file(directory / "vnc-password", password + "\n", 0600);
}

}  // namespace

std::vector<hypervisor::Format> configuration_formats(const plan::Plan& plan) {
    using hypervisor::Format;
    std::vector<Format> formats = {plan.dialect == hypervisor::Dialect::xm ? Format::xm : Format::xl};
    switch (plan.recipe.domain.libvirt) {
        case recipe::Libvirt::none:
            break;
        case recipe::Libvirt::xen:
            formats.push_back(Format::libvirt_xen);
            break;
        case recipe::Libvirt::kvm:
            formats.push_back(Format::libvirt_kvm);
            break;
        case recipe::Libvirt::qemu:
            formats.push_back(Format::libvirt_qemu);
            break;
    }
    return formats;
}

std::vector<std::string> write_configurations(const plan::Plan& plan, const fs::path& directory, Progress& progress) {
    constexpr mode_t kForOwner = 0600, kForAll = 0644;
    auto guest = plan::guest_of(plan);
    set_password(guest, plan, directory);
    std::vector<std::string> names;
    for (const auto format : configuration_formats(plan)) {
        const auto written = hypervisor::configuration_of(guest, format);
        names.push_back(hypervisor::configuration_name(guest, format));
        for (const auto& lost : written.lost) progress.warning(fmt::format("{}: {}", names.back(), lost));
        os::write_file(directory / names.back(), written.text, guest.vncpasswd ? kForOwner : kForAll);
    }
    return names;
}

}  // namespace vprov::pipeline
