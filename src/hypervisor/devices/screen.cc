#include "hypervisor/devices/screen.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/monitor.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {

void snapshot_screen(const Domains& domains, const std::string& name, const std::filesystem::path& file) {
    const auto domain = domains.find(name);
    auto monitor = domains.monitor(domain.name);
    os::NewFile picture(file);
    // QEMU takes a descriptor of a set only when it is opened exactly as QEMU would open the file
    const auto passed = os::open_file(fmt::format("/proc/self/fd/{}", picture.fd()), O_WRONLY);
    const auto set = monitor.pass_file(passed, "screen");
    std::string refusal;
    try {
        monitor.execute("screendump", {{"filename", name_in_qemu(set)}, {"format", "png"}});
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        const bool has_none =
            e.message().find("no console") != std::string::npos || e.message().find("no surface") != std::string::npos;
        refusal = has_none ? "it has none (vnc = 1 in its configuration gives it one)" : e.message();
    }
    monitor.take_back_file(set);
    if (!refusal.empty())
        throw error(ErrorKind::hypervisor, "cannot take a snapshot of the screen of {}: {}", quote(domain.name),
                    refusal);
    picture.commit();
}

VncAddress vnc_address(const Domains& domains, const std::string& name) {
    const auto domain = domains.find(name);
    const auto vnc = domains.monitor(domain.name).execute("query-vnc");
    if (!vnc.value("enabled", false) || !vnc.contains("service"))
        throw error(ErrorKind::hypervisor,
                    "cannot view the screen of {}: it has none (vnc = 1 in its configuration gives it one)",
                    quote(domain.name));
    return {vnc.value("host", ""), vnc.value("service", ""), vnc.value("auth", "none") != "none"};
}

}  // namespace vprov::hypervisor
