#include "hypervisor/launch/domain_record.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

template <class T>
struct nlohmann::adl_serializer<std::optional<T>> {
    static void to_json(json& to, const std::optional<T>& value) { to = value ? json(*value) : json(nullptr); }
    static void from_json(const json& from, std::optional<T>& value) {
        value = from.is_null() ? std::nullopt : std::optional(from.get<T>());
    }
};

namespace vprov::hypervisor {

NLOHMANN_JSON_SERIALIZE_ENUM(GuestType, {{GuestType::pv, "pv"}, {GuestType::pvh, "pvh"}, {GuestType::hvm, "hvm"}})
NLOHMANN_JSON_SERIALIZE_ENUM(LifecycleAction, {{LifecycleAction::destroy, "destroy"},
                                               {LifecycleAction::restart, "restart"},
                                               {LifecycleAction::rename_restart, "rename-restart"},
                                               {LifecycleAction::preserve, "preserve"},
                                               {LifecycleAction::coredump_destroy, "coredump-destroy"},
                                               {LifecycleAction::coredump_restart, "coredump-restart"}})
NLOHMANN_JSON_SERIALIZE_ENUM(DiskFormat, {{DiskFormat::raw, "raw"},
                                          {DiskFormat::qcow, "qcow"},
                                          {DiskFormat::qcow2, "qcow2"},
                                          {DiskFormat::vhd, "vhd"},
                                          {DiskFormat::qed, "qed"},
                                          {DiskFormat::empty, "empty"},
                                          {DiskFormat::vmdk, "vmdk"},
                                          {DiskFormat::vdi, "vdi"},
                                          {DiskFormat::vhdx, "vhdx"}})
NLOHMANN_JSON_SERIALIZE_ENUM(EngineChoice, {{EngineChoice::automatic, "automatic"},
                                            {EngineChoice::kvm, "kvm"},
                                            {EngineChoice::tcg, "tcg"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Phase, {{Phase::starting, "starting"},
                                     {Phase::incoming, "incoming"},
                                     {Phase::running, "running"},
                                     {Phase::paused, "paused"},
                                     {Phase::shutdown, "shutdown"},
                                     {Phase::crashed, "crashed"},
                                     {Phase::dying, "dying"}})
NLOHMANN_JSON_SERIALIZE_ENUM(HandOver, {{HandOver::no, "no"}, {HandOver::sharing, "sharing"}, {HandOver::away, "away"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Firmware, {{Firmware::automatic, "automatic"},
                                        {Firmware::bios, "bios"},
                                        {Firmware::seabios, "seabios"},
                                        {Firmware::rombios, "rombios"},
                                        {Firmware::uefi, "uefi"},
                                        {Firmware::pvgrub32, "pvgrub32"},
                                        {Firmware::pvgrub64, "pvgrub64"},
                                        {Firmware::file, "file"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Screen, {{Screen::automatic, "automatic"},
                                      {Screen::none, "none"},
                                      {Screen::standard, "standard"},
                                      {Screen::cirrus, "cirrus"},
                                      {Screen::qxl, "qxl"}})
// What QEMU is told of; the members that are left out are Xen's.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GuestDisk, target, format, vdev, writable, cdrom, script, discard, direct_io_safe,
                                   pci_slot)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PortForward, is_udp, address, port, guest_port)
// A domain may have been saved by an earlier version, which did not write all of these.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GuestInterface, mac, bridge, model, other, ip, rate, script, vifname,
                                                forwards, segment, pci_slot)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Guest, name, uuid, type, kernel, ramdisk, cmdline, memory_mib,
                                                maxmem_mib, vcpus, maxvcpus, disks, interfaces, on_poweroff, on_reboot,
                                                on_crash, boot, vnc, vnclisten, hostname, firmware, firmware_file,
                                                vncdisplay, vncunused, vncpasswd, keymap, screen, videoram_mib, usb,
                                                usbdevices, serial, agent)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessIdentity, pid, start_ticks, boot_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RamFile, qemu, fd, inode)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SharedFile, file, content)
// So may the record of one that runs.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DomainRecord, name, id, memory_mib, vcpus, phase, engine, disks,
                                                cpu_seconds_before, supervisor, qemu, operation, runs_after, segments,
                                                ram, handed_over, template_memory, on_trial)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LaunchRequest, guest, engine, paused, incoming, on_trial, sandbox,
                                                ram, template_memory, needs_ram_file, cpu_seconds, console, adopt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LaunchAnswer, error, id, engine, warnings)

namespace {

// A cmdline is bytes, and need not be UTF-8; JSON has to be.
template <class T>
std::string dumped(const T& value) {
    return nlohmann::json(value).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

template <class T>
T parsed(std::string_view text, std::string_view what) {
    try {
        return nlohmann::json::parse(text).get<T>();
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::hypervisor, "cannot read {}: {}", what, e.what());
    }
}

}  // namespace

std::string to_json(const DomainRecord& record) {
    return dumped(record);
}
std::string to_json(const LaunchRequest& request) {
    return dumped(request);
}
std::string to_json(const LaunchAnswer& answer) {
    return dumped(answer);
}
DomainRecord record_from_json(std::string_view text) {
    return parsed<DomainRecord>(text, "a domain's record");
}
LaunchRequest request_from_json(std::string_view text) {
    return parsed<LaunchRequest>(text, "the order to start a domain");
}
LaunchAnswer answer_from_json(std::string_view text) {
    return parsed<LaunchAnswer>(text, "the supervisor's answer");
}

}  // namespace vprov::hypervisor
