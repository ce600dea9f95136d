#include <array>

#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/enum_names.h"
#include "recipe/charset.h"
#include "recipe/forms.h"
#include "recipe/screen_keys.h"
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

std::string boot_order_of(const Node& node) {
    auto text = string_of(node);
    if (text.empty() || text.find_first_not_of("cdn") != std::string::npos)
        throw Refusal{"letters are wanted: c for the disk, d for the CD, n for the network, in the order to try them"};
    for (std::size_t i = 1; i < text.size(); ++i)
        if (text.find(text[i]) < i)
            throw Refusal{fmt::format("it has {} twice", quote(std::string_view(&text[i], 1)))};
    return text;
}

std::string flaw_of_cdrom(std::string_view path) {
    return path.empty() ? "" : flaw_of_file_name(path);
}

// One string, or a list of them.
template <class T>
Key<T> strings(std::string_view name, std::vector<std::string> T::*member, FlawOf flaw_of) {
    return {name,
            [=](T& into, const Node& node, const std::string& what, Findings& findings) {
                const auto read = [&](const Node& item) {
                    read_value(item, what, findings, [&] { (into.*member).push_back(word(flaw_of)(item)); });
                };
                (into.*member).clear();
                if (node.kind != Node::Kind::array)
                    return read(node);
                for (const auto& item : node.items) read(item);
            },
            {}};
}

unsigned videoram_of(const Node& node) {
    constexpr std::int64_t kMost = 4096;
    const auto size = integer_of(node);
    if (size < 1 || size > kMost)
        throw Refusal{fmt::format("1 to {} is wanted, in MiB", kMost)};
    return static_cast<unsigned>(size);
}

std::string flaw_of_domain_uuid(std::string_view text) {
    const auto parts = split(text, '-');
    constexpr std::array<std::size_t, 5> kDigits = {8, 4, 4, 4, 12};
    bool good = parts.size() == kDigits.size();
    for (std::size_t i = 0; good && i < kDigits.size(); ++i)
        good = parts[i].size() == kDigits[i] && std::all_of(parts[i].begin(), parts[i].end(), is_hex);
    return good ? "" : "8-4-4-4-12 hexadecimal digits are wanted";
}

// One of the words, or the path of a firmware.
Key<Domain> firmware_key() {
    return {"firmware",
            [](Domain& domain, const Node& node, const std::string& what, Findings& findings) {
                read_value(node, what, findings, [&] {
                    const auto text = string_of(node);
                    domain.firmware = hypervisor::value_in(hypervisor::kFirmwareNames, text);
                    if (!domain.firmware && text.find('/') == std::string::npos)
                        throw Refusal{"bios, uefi, seabios, rombios, pvgrub32, pvgrub64 or a path is wanted"};
                    if (!domain.firmware) {
                        domain.firmware = hypervisor::Firmware::file;
                        domain.firmware_file = word(flaw_of_file_name)(node);
                    }
                });
            },
            {}};
}

Keys<DomainDisk> domain_disk_keys() {
    using hypervisor::DiskBackend;
    using hypervisor::DiskFormat;
    const Choices<DiskFormat> formats = {
        {"raw", DiskFormat::raw},   {"qcow2", DiskFormat::qcow2}, {"vhd", DiskFormat::vhd}, {"qed", DiskFormat::qed},
        {"qcow", DiskFormat::qcow}, {"vmdk", DiskFormat::vmdk},   {"vdi", DiskFormat::vdi}, {"vhdx", DiskFormat::vhdx}};
    const Choices<DiskBackend> backends = {
        {"phy", DiskBackend::phy}, {"tap", DiskBackend::tap}, {"qdisk", DiskBackend::qdisk}};
    return {
        "[[domain.disk]]",
        {key("path", &DomainDisk::path, word(flaw_of_file_name)),
         key("guest", &DomainDisk::guest, word(flaw_of_device)), key("format", &DomainDisk::format, choice(formats)),
         key("readonly", &DomainDisk::readonly, boolean_of), key("cdrom", &DomainDisk::cdrom, boolean_of),
         key("backend", &DomainDisk::backend, choice(backends)),
         key("script", &DomainDisk::script, word(flaw_of_vif_word)), key("discard", &DomainDisk::discard, boolean_of)},
        {},
        {},
        [](const DomainDisk& disk, const Node& table, Findings& findings) {
            if (!table.find("path") && !disk.cdrom)
                findings.add(table.place, "cannot use [[domain.disk]]: it has no path");
        }};
}

Key<Domain> libvirt_key() {
    return {"libvirt",
            [](Domain& domain, const Node& node, const std::string& what, Findings& findings) {
                read_value(node, what, findings, [&] {
                    if (node.kind == Node::Kind::boolean)
                        domain.libvirt = node.boolean ? Libvirt::xen : Libvirt::none;
                    else
                        domain.libvirt = choice(Choices<Libvirt>{
                            {"xen", Libvirt::xen}, {"kvm", Libvirt::kvm}, {"qemu", Libvirt::qemu}})(node);
                });
            },
            {}};
}

hypervisor::GuestOption option_of(const Node& node) {
    if (node.kind == Node::Kind::array) {
        std::vector<std::string> items;
        for (const auto& item : node.items) items.push_back(word(flaw_of_words)(item));
        return items;
    }
    if (node.kind == Node::Kind::boolean)
        return std::string(node.boolean ? "1" : "0");
    if (node.kind == Node::Kind::integer && node.integer >= 0)
        return std::to_string(node.integer);
    if (node.kind != Node::Kind::string)
        throw Refusal{"a string, a number, true, false or a list of strings is wanted"};
    return word(flaw_of_words)(node);
}

// Any key of xl.cfg(5) that has no member elsewhere.
Key<Domain> xl_key() {
    return {"xl",
            [](Domain& domain, const Node& node, const std::string& what, Findings& findings) {
                if (node.kind != Node::Kind::table)
                    return findings.refuse(node, what, "a table is wanted, once, as [domain.xl]");
                for (const auto& entry : node.entries) {
                    if (!hypervisor::is_kept_cfg_key(entry.key)) {
                        const auto used = hypervisor::used_cfg_keys();
                        const bool is_elsewhere = std::find(used.begin(), used.end(), entry.key) != used.end();
                        findings.add(entry.place, fmt::format("cannot use key {} in [domain.xl]: {}", quote(entry.key),
                                                              is_elsewhere ? "the recipe has keys of its own for that"
                                                                           : "xl.cfg(5) has none of that name"));
                        continue;
                    }
                    read_value(entry.value, fmt::format("[domain.xl] {}", entry.key), findings,
                               [&] { domain.xl[entry.key] = option_of(entry.value); });
                }
            },
            {}};
}

void check_domain(const Domain& domain, const Node& table, Findings& findings) {
    if (const auto* node = table.find("maxmem"); node && domain.maxmem && *domain.maxmem < domain.memory)
        findings.refuse(*node, "[domain] maxmem", fmt::format("it is less than memory, {}", exact(domain.memory)));
    if (const auto* node = table.find("maxvcpus"); node && domain.maxvcpus && *domain.maxvcpus < domain.vcpus)
        findings.refuse(*node, "[domain] maxvcpus", fmt::format("it is less than vcpus, {}", domain.vcpus));
    constexpr std::size_t kMostCds = 4;
    if (const auto* node = table.find("cdrom"); node && domain.cdrom.size() > kMostCds)
        findings.refuse(*node, "[domain] cdrom", "a domain has four drives at most");
    refuse_repeats(
        domain.disks, table.find("disk"), "[[domain.disk]]", "guest",
        [](const DomainDisk& disk) { return disk.guest.value_or(""); }, findings);
}

}  // namespace

Keys<Domain> domain_keys() {
    using hypervisor::Screen;
    const Choices<DomainType> types = {{"pv", DomainType::pv}, {"pvh", DomainType::pvh}, {"hvm", DomainType::hvm}};
    const Choices<Action> actions = {{"destroy", Action::destroy},
                                     {"restart", Action::restart},
                                     {"rename-restart", Action::rename_restart},
                                     {"preserve", Action::preserve},
                                     {"coredump-destroy", Action::coredump_destroy},
                                     {"coredump-restart", Action::coredump_restart}};
    const Choices<Screen> screens = {
        {"none", Screen::none}, {"stdvga", Screen::standard}, {"cirrus", Screen::cirrus}, {"qxl", Screen::qxl}};
    return {"[domain]",
            {key("type", &Domain::type, choice(types)),
             key("memory", &Domain::memory, memory_of),
             key("maxmem", &Domain::maxmem, memory_of),
             key("vcpus", &Domain::vcpus, vcpus_of),
             key("maxvcpus", &Domain::maxvcpus, vcpus_of),
             key("on_poweroff", &Domain::on_poweroff, choice(actions)),
             key("on_reboot", &Domain::on_reboot, choice(actions)),
             key("on_crash", &Domain::on_crash, choice(actions)),
             key("uuid", &Domain::uuid, word(flaw_of_domain_uuid)),
             key("root", &Domain::root, word(flaw_of_vif_word)),
             key("extra", &Domain::extra, word(flaw_of_line)),
             key("bootloader", &Domain::bootloader, word(flaw_of_words)),
             list("bootloader_args", &Domain::bootloader_args, word(flaw_of_words)),
             firmware_key(),
             key("boot", &Domain::boot, boot_order_of),
             strings("cdrom", &Domain::cdrom, flaw_of_cdrom),
             tables("disk", &Domain::disks, domain_disk_keys()),
             vnc_key(),
             key("sdl", &Domain::sdl, boolean_of),
             key("usb_tablet", &Domain::usb_tablet, boolean_of),
             key("vga", &Domain::vga, choice(screens)),
             key("videoram", &Domain::videoram, videoram_of),
             strings("serial", &Domain::serial, flaw_of_words),
             libvirt_key(),
             xl_key()},
            {},
            {},
            check_domain};
}

}  // namespace vprov::recipe
