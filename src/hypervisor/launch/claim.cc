#include "hypervisor/launch/claim.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/interface_limits.h"

namespace vprov::hypervisor {

Claim::Claim(const StateDir& state, const LaunchRequest& request) : state_(state) {
    const Guest& guest = request.guest;
    const auto all = state_.lock();
    refuse_if_taken(guest.name);
    state_.remove(guest.name);
    if (::mkdir(state_.domain(guest.name).c_str(), 0700) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot make " + quote(state_.domain(guest.name).native()));
    record.name = guest.name;
    lock();
    record.memory_mib = guest.memory_mib;
    record.vcpus = guest.vcpus;
    for (const auto& disk : guest.disks) record.disks.push_back(disk.target);
    record.cpu_seconds_before = request.cpu_seconds;
    record.supervisor = identify_process(::getpid());
    record.id = state_.take_id();
    state_.write(request);
    save();
}

std::optional<Claim> Claim::adopt(const StateDir& state, const std::string& name) {
    const auto all = state.lock();
    auto record = state.read(name);
    if (!record || state.is_supervised(name) || !is_alive(record->qemu))
        return std::nullopt;
    Claim claim(state);
    claim.record = std::move(*record);
    claim.lock();
    claim.record.supervisor = identify_process(::getpid());
    claim.save();
    return claim;
}

Claim::Claim(Claim&& other) noexcept
    : record(std::move(other.record)), state_(other.state_), lock_(std::exchange(other.lock_, std::nullopt)) {}

Claim::~Claim() {
    if (!lock_ || is_alive(record.qemu))  // the next supervisor's
        return;
    try {
        const auto all = state_.lock();
        state_.remove(record.name);
        remove_stale_limits(state_.limits());
    } catch (const Error&) {
        // asked to stop while waiting: the next command finds the lock free and removes what is left
    }
}

void Claim::take_new_id() {
    const auto all = state_.lock();
    record.id = state_.take_id();
}

void Claim::rename(const std::string& name) {
    const auto all = state_.lock();
    const auto old = state_.read(name);
    if (state_.is_supervised(name) || (old && is_alive(old->qemu)))
        throw error(ErrorKind::hypervisor, "a domain named {} is running", quote(name));
    state_.remove(name);
    if (::rename(state_.domain(record.name).c_str(), state_.domain(name).c_str()) != 0)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot rename {}", quote(record.name)));
    record.name = name;
    save();
}

void Claim::refuse_if_taken(const std::string& name) const {
    const auto old = state_.read(name);
    if (state_.is_supervised(name))
        throw error(ErrorKind::hypervisor, "cannot create {}: a domain of that name is running{}", quote(name),
                    old ? fmt::format(" (id {})", old->id) : "");
    if (old && is_alive(old->qemu))
        throw error(ErrorKind::hypervisor,
                    "cannot create {0}: a QEMU of that name (process {1}) has outlived its supervisor; end it with: "
                    "vprov destroy {2}",
                    quote(name), old->qemu.pid, name);
}

}  // namespace vprov::hypervisor
