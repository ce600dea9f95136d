#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr Bytes kSmallestMemory = 32_MiB;
constexpr std::int64_t kMostVcpus = 128;  // HVM_MAX_VCPUS of Xen's public headers

Bytes memory_of(const Node& node) {
    const auto size = size_of(node);
    if (size.value % (1_MiB).value != 0)
        throw Refusal{"a multiple of 1M is wanted"};
    if (size < kSmallestMemory)
        throw Refusal{"at least 32M is wanted"};
    return size;
}

unsigned vcpus_of(const Node& node) {
    const auto count = integer_of(node);
    if (count < 1 || count > kMostVcpus)
        throw Refusal{fmt::format("1 to {} is wanted", kMostVcpus)};
    return static_cast<unsigned>(count);
}

void check_domain(const Domain& domain, const Node& table, Findings& findings) {
    if (const auto* node = table.find("maxmem"); node && domain.maxmem && *domain.maxmem < domain.memory)
        findings.refuse(*node, "[domain] maxmem", fmt::format("it is less than memory, {}", exact(domain.memory)));
}

}  // namespace

Keys<Domain> domain_keys() {
    const Choices<DomainType> types = {{"pv", DomainType::pv}, {"pvh", DomainType::pvh}, {"hvm", DomainType::hvm}};
    const Choices<Action> actions = {{"destroy", Action::destroy},
                                     {"restart", Action::restart},
                                     {"rename-restart", Action::rename_restart},
                                     {"preserve", Action::preserve},
                                     {"coredump-destroy", Action::coredump_destroy},
                                     {"coredump-restart", Action::coredump_restart}};
    return {
        "[domain]",
        {key("type", &Domain::type, choice(types)), key("memory", &Domain::memory, memory_of),
         key("maxmem", &Domain::maxmem, memory_of), key("vcpus", &Domain::vcpus, vcpus_of),
         key("on_poweroff", &Domain::on_poweroff, choice(actions)),
         key("on_reboot", &Domain::on_reboot, choice(actions)), key("on_crash", &Domain::on_crash, choice(actions))},
        {"vnc", "cdrom", "boot"},
        {},
        check_domain};
}

}  // namespace vprov::recipe
