#include "hypervisor/engine/engine.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {

namespace {

[[noreturn]] void cannot(std::string_view verb, const std::string& name) {
    throw error(ErrorKind::hypervisor, "cannot {} {}: this engine has no way to", verb, quote(name));
}

}  // namespace

std::uint64_t DomainEngine::set_memory(const std::string& name, std::uint64_t) const {
    cannot("set the memory of", name);
}
void DomainEngine::set_vcpus(const std::string& name, unsigned) const {
    cannot("set the processors of", name);
}
void DomainEngine::attach_disk(const std::string& name, const GuestDisk&) const {
    cannot("attach a disk to", name);
}
void DomainEngine::detach_disk(const std::string& name, const std::string&) const {
    cannot("detach a disk from", name);
}
std::vector<std::string> DomainEngine::attach_interface(const std::string& name, const GuestInterface&) const {
    cannot("attach an interface to", name);
}
void DomainEngine::detach_interface(const std::string& name, const std::string&) const {
    cannot("detach an interface from", name);
}
void DomainEngine::change_cd(const std::string& name, const std::string&, const std::string&) const {
    cannot("change the CD of", name);
}

ssize_t DomainEngine::Console::read(std::span<char> into) const {
    return ::read(stream.get(), into.data(), into.size());
}

ssize_t DomainEngine::Console::write(std::string_view data) const {
    const auto sent = ::send(stream.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 && errno == ENOTSOCK ? ::write(stream.get(), data.data(), data.size()) : sent;
}

DomainInfo DomainEngine::find(std::string_view name_or_id) const {
    unsigned id = 0;
    const auto* const end = name_or_id.data() + name_or_id.size();
    const auto [stop, failure] = std::from_chars(name_or_id.data(), end, id);
    const bool is_id = failure == std::errc{} && stop == end;
    std::vector<std::string> names;
    std::optional<DomainInfo> by_id;
    for (auto& domain : list()) {
        if (domain.name == name_or_id)
            return domain;
        names.push_back(domain.name);
        if (is_id && domain.id == id)
            by_id = std::move(domain);
    }
    if (by_id)
        return *by_id;
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest(name_or_id, views);
    throw error(ErrorKind::hypervisor, "cannot find a domain {} {}: no such domain is running{}",
                is_id ? "with the id" : "named", quote(name_or_id),
                near.empty() ? "" : fmt::format(" (did you mean {}?)", quote(near)));
}

}  // namespace vprov::hypervisor
