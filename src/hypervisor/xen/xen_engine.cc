#include "hypervisor/xen/xen_engine.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/xen/xen_preflight.h"
#include "hypervisor/xen/xl_console.h"
#include "hypervisor/xen/xl_output.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// What xl says of a configuration that it has taken, but for what it always says.
std::vector<std::string> warnings_in(std::string_view errors) {
    std::vector<std::string> warnings;
    for (const auto line : split(errors, '\n'))
        if (!trimmed(line).empty() && !line.starts_with("Parsing config"))
            warnings.push_back(fmt::format("xl: {}", trimmed(line)));
    return warnings;
}

std::string engine_name(std::string_view type) {
    return type.empty() ? "Xen" : fmt::format("Xen ({})", type);
}

}  // namespace

os::CommandResult XenEngine::run(std::vector<std::string> words, Interruption interruption) const {
    words.insert(words.begin(), "xl");
    os::Command command{std::move(words), os::clean_environment(), ""};
    command.runs_to_its_end = interruption == Interruption::waits;
    return runner_.run(command);
}

std::string XenEngine::listed(std::vector<std::string> words) const {
    constexpr int kSignalled = 128;
    os::CommandResult result;
    // xl 4.17 has been seen to crash when it had said everything; asking again does no harm.
    for (int tries = 0; tries < 3 && (tries == 0 || result.status >= kSignalled); ++tries) result = run(words);
    if (!result.ok())
        throw error(ErrorKind::hypervisor, "cannot list the domains of Xen: {}",
                    cause_of_xl_failure(result.errors, result.status));
    return std::move(result.output);
}

std::vector<DomainInfo> XenEngine::rows() const {
    return parse_xl_list(listed({"list"}));
}

void XenEngine::order(std::string_view verb, const DomainInfo& guest, std::vector<std::string> words) const {
    const auto result = run(std::move(words));
    if (!result.ok() || result.errors.find("libxl: error:") != std::string::npos)
        throw error(ErrorKind::hypervisor, "cannot {} {}: {}", verb, quote(guest.name),
                    cause_of_xl_failure(result.errors, result.status));
}

std::string XenEngine::why_unusable() const {
    try {
        const auto result = run({"list"});
        return result.ok() ? "" : cause_of_xl_failure(result.errors, result.status);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        return e.message();
    }
}

std::map<unsigned, XlDetails> XenEngine::details() const {
    return parse_xl_details(listed({"list", "-l"}));
}

std::vector<DomainInfo> XenEngine::list() const {
    auto domains = rows();
    const auto known = details();
    for (auto& domain : domains) {
        const auto of_it = known.find(domain.id);
        domain.engine = engine_name(of_it == known.end() ? "" : of_it->second.type);
    }
    std::sort(domains.begin(), domains.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return domains;
}

std::string XenEngine::configuration_json(const DomainInfo& domain) const {
    return xl_configuration(listed({"list", "-l"}), domain.id);
}

bool XenEngine::is_running(const std::string& name) const {
    const auto domains = rows();
    return std::any_of(domains.begin(), domains.end(), [&](const auto& domain) { return domain.name == name; });
}

DomainInfo XenEngine::find_guest(std::string_view verb, const std::string& name) const {
    auto domain = find(name);
    if (domain.is_host)
        throw error(ErrorKind::hypervisor, "cannot {} {}: it is this host itself", verb, quote(domain.name));
    return domain;
}

bool XenEngine::is_listed(unsigned id) const {
    const auto domains = rows();
    return std::any_of(domains.begin(), domains.end(), [&](const auto& domain) { return domain.id == id; });
}

CreatedDomain XenEngine::create(const Guest& guest, const CreateOptions& options) const {
    if (options.engine != EngineChoice::automatic)
        throw error(ErrorKind::hypervisor, "cannot create {}: KVM and TCG are QEMU's, and domains run on Xen here",
                    quote(guest.name));
    const auto prepared = prepare_xen_guest(guest, options.folder);
    if (is_running(guest.name))
        throw error(ErrorKind::hypervisor, "cannot create {}: a domain of that name is running", quote(guest.name));
    refuse_shared_disks("create", prepared, details());
    const os::TempDir folder(std::filesystem::temp_directory_path(), "vprov-xl-");
    const auto configuration = folder.path() / (guest.name + ".cfg");
    os::write_file(configuration, write_xl_cfg(prepared), 0600);
    // xl that is killed on its way leaves half a domain.
    std::vector<std::string> words = {"create", configuration.native()};
    if (options.paused)
        words.emplace_back("-p");
    const auto result = run(std::move(words), Interruption::waits);
    if (!result.ok())
        throw error(ErrorKind::hypervisor, "cannot create {}: {}", quote(guest.name),
                    cause_of_xl_failure(result.errors, result.status));
    if (os::stop_requested())  // by its id: xl takes a name of digits for one
        run({"destroy", std::string(trimmed(run({"domid", guest.name}, Interruption::waits).output))},
            Interruption::waits);
    os::check_stop();
    const auto domain = find(guest.name);
    return {domain.name, domain.id, domain.engine, warnings_in(result.errors)};
}

void XenEngine::shutdown(const std::string& name) const {
    const auto domain = find_guest("shut down", name);
    order("shut down", domain, {"shutdown", "-F", std::to_string(domain.id)});
}

void XenEngine::reboot(const std::string& name) const {
    const auto domain = find_guest("reboot", name);
    order("reboot", domain, {"reboot", "-F", std::to_string(domain.id)});
}

void XenEngine::pause(const std::string& name) const {
    const auto domain = find_guest("pause", name);
    order("pause", domain, {"pause", std::to_string(domain.id)});
}

void XenEngine::unpause(const std::string& name) const {
    const auto domain = find_guest("unpause", name);
    order("unpause", domain, {"unpause", std::to_string(domain.id)});
}

void XenEngine::rename(const std::string& name, const std::string& new_name) const {
    const auto domain = find_guest("rename", name);
    if (!is_valid_guest_name(new_name))
        throw error(ErrorKind::hypervisor, "cannot rename {} to {}: letters, digits and . _ + - only",
                    quote(domain.name), quote(new_name));
    if (is_running(new_name))
        throw error(ErrorKind::hypervisor, "cannot rename {} to {}: a domain of that name is running",
                    quote(domain.name), quote(new_name));
    order("rename", domain, {"rename", std::to_string(domain.id), new_name});
}

void XenEngine::destroy(const std::string& name) const {
    constexpr auto kMostTime = 15s;
    const auto domain = find_guest("destroy", name);
    order("destroy", domain, {"destroy", std::to_string(domain.id)});
    const auto deadline = Clock::now() + kMostTime;
    while (is_listed(domain.id)) {
        if (Clock::now() >= deadline)
            throw error(ErrorKind::hypervisor, "cannot destroy {}: Xen still lists it after {} s", quote(domain.name),
                        kMostTime.count());
        std::this_thread::sleep_for(100ms);
    }
}

bool XenEngine::wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const {
    const auto deadline = Clock::now() + most.value_or(0ms);
    while (is_running(name)) {
        if (most && Clock::now() >= deadline)
            return false;
        os::check_stop();
        std::this_thread::sleep_for(200ms);
    }
    return true;
}

XenEngine::Console XenEngine::open_console(const std::string& name, ConsoleMode) const {
    return open_xl_console(find_guest("open the console of", name).id);
}

}  // namespace vprov::hypervisor
