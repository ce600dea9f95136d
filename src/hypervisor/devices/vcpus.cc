#include "hypervisor/devices/vcpus.h"

#include <unistd.h>

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/devices/change.h"
#include "hypervisor/guest/qemu_devices.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

// The thread's line "KEY:\tVALUE" in /proc/PID/status.
std::string status_field(const std::string& text, const std::string& key) {
    const auto start = text.find("\n" + key + ":\t");
    if (start == std::string::npos)
        return "";
    const auto from = start + key.size() + 3;
    return text.substr(from, text.find('\n', from) - from);
}

// proc(5), stat, counted from the field behind the name: 0 state, 11 utime, 12 stime, 36 processor.
Vcpu usage_of(int process, int thread, bool paused) {
    constexpr std::size_t kUser = 11, kSystem = 12, kProcessor = 36;
    const auto folder = fmt::format("/proc/{}/task/{}/", process, thread);
    const auto stat = os::read_file(folder + "stat", ErrorKind::hypervisor);
    const auto words = split_words(std::string_view(stat).substr(stat.rfind(')') + 1));
    Vcpu vcpu;
    if (words.size() <= kProcessor)
        return vcpu;
    const auto number = [&](std::size_t i) { return std::stod(std::string(words[i])); };
    vcpu.state = paused ? 'p' : words[0] == "R" ? 'r' : 'b';
    vcpu.seconds = (number(kUser) + number(kSystem)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    vcpu.on_cpu = static_cast<int>(number(kProcessor));
    vcpu.affinity = status_field(os::read_file(folder + "status", ErrorKind::hypervisor), "Cpus_allowed_list");
    return vcpu;
}

}  // namespace

void set_vcpus(const Domains& domains, const std::string& name, unsigned count) {
    Change change(domains, name, "vcpu-set");
    auto& guest = change.guest;
    const auto fail = [&](std::string_view cause) {
        return error(ErrorKind::hypervisor, "cannot give {} {} processors: {}", quote(change.name()), count, cause);
    };
    const auto most = most_vcpus(guest);
    if (count == 0)
        throw fail("it needs one");
    if (count > most)
        throw fail(fmt::format("it can have {} at most (maxvcpus)", most));
    const bool is_kvm = domains.find(change.name()).engine.starts_with("KVM");
    // QEMU 7.2 frees a processor twice there, and dies with its guest
    if (count < guest.vcpus && !is_kvm)
        throw fail(
            "one that was plugged in cannot be unplugged without KVM; the guest can stop using it: "
            "echo 0 >/sys/devices/system/cpu/cpuN/online");
    guest.maxvcpus = most;
    std::string cause;
    try {
        for (; guest.vcpus < count; ++guest.vcpus)
            change.make("device_add", qemu_vcpu(is_kvm ? Engine::kvm : Engine::tcg, guest.vcpus));
        for (; guest.vcpus > count; --guest.vcpus) change.unplug(fmt::format("vcpu{}", guest.vcpus - 1));
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        cause = e.message();
    }
    change.record();
    if (!cause.empty())
        throw fail(cause);
}

std::vector<Vcpu> vcpus_of(const Domains& domains, const std::string& name) {
    const auto domain = domains.find(name);
    const auto record = domains.state().read(domain.name);
    if (!record)
        throw error(ErrorKind::hypervisor, "cannot list the processors of {}: it has ended", quote(domain.name));
    std::vector<Vcpu> vcpus;
    const auto threads = domains.monitor(domain.name).execute("query-cpus-fast");
    for (const auto& cpu : threads) {
        auto vcpu = usage_of(record->qemu.pid, cpu.value("thread-id", 0), domain.state[2] == 'p');
        vcpu.index = cpu.value("cpu-index", 0U);
        vcpus.push_back(vcpu);
    }
    return vcpus;
}

}  // namespace vprov::hypervisor
