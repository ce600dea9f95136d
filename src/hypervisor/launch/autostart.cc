#include "hypervisor/launch/autostart.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

std::string name_in(const fs::path& configuration) {
    try {
        const auto text = os::read_file(configuration, ErrorKind::hypervisor);
        return read_xl_cfg(text, configuration.native()).guest.name;
    } catch (const Error&) {
        return "";
    }
}

// "10" of "10-web.cfg"; the usual one for names that do not begin so.
unsigned order_in(const std::string& file) {
    unsigned order = 0;
    const auto* const end = file.data() + file.size();
    const auto [stop, failure] = std::from_chars(file.data(), end, order);
    const bool is_order = failure == std::errc{} && stop != end && *stop == '-' && order <= Autostart::kLastOrder;
    return is_order ? order : Autostart::kUsualOrder;
}

}  // namespace

fs::path configuration_directory() {
    if (const char* chosen = std::getenv("VPROV_CONFIG_DIR"); chosen && *chosen)
        return chosen;
    if (::geteuid() == 0)
        return "/etc/vprov";
    if (const char* config = std::getenv("XDG_CONFIG_HOME"); config && *config)
        return fs::path(config) / "vprov";
    const char* const home = std::getenv("HOME");
    return fs::path(home ? home : "/") / ".config/vprov";
}

std::vector<Autostart::Entry> Autostart::entries() const {
    std::vector<Entry> entries;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(folder_, none)) {
        const auto link = file.path();
        if (link.extension() != ".cfg")
            continue;
        const auto target = fs::is_symlink(link) ? folder_ / fs::read_symlink(link, none) : link;
        entries.push_back({order_in(link.filename().native()), name_in(target), target.lexically_normal(), link});
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.order, a.link.filename()) < std::pair(b.order, b.link.filename());
    });
    return entries;
}

void Autostart::enable(const std::string& name, const fs::path& configuration, unsigned order) const {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    if (failure)
        throw system_error(ErrorKind::hypervisor, failure.value(), "cannot make " + quote(folder_.native()));
    const auto link = folder_ / fmt::format("{:02}-{}.cfg", order, name);
    const auto fresh = folder_ / fmt::format(".{}.{}", name, ::getpid());
    fs::create_symlink(fs::absolute(configuration).lexically_normal(), fresh, failure);
    if (!failure)
        fs::rename(fresh, link, failure);
    if (failure)
        throw system_error(ErrorKind::hypervisor, failure.value(), "cannot make " + quote(link.native()));
    for (const auto& entry : entries())
        if (entry.name == name && entry.link != link)
            fs::remove(entry.link, failure);
}

bool Autostart::disable(const std::string& name) const {
    bool found = false;
    for (const auto& entry : entries()) {
        const auto file = entry.link.filename().native();
        // by its file's name, too: its configuration may be gone
        if (entry.name != name && file != fmt::format("{:02}-{}.cfg", entry.order, name) && file != name + ".cfg")
            continue;
        std::error_code failure;
        fs::remove(entry.link, failure);
        if (failure)
            throw system_error(ErrorKind::hypervisor, failure.value(), "cannot remove " + quote(entry.link.native()));
        found = true;
    }
    return found;
}

}  // namespace vprov::hypervisor
