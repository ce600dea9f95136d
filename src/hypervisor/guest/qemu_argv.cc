#include "hypervisor/guest/qemu_argv.h"

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/guest/qemu_screen.h"

namespace vprov::hypervisor {
namespace {

// "/dev/xvda1" as this guest's Linux finds it in QEMU; unchanged where no disk of the guest has that name.
std::string translated_root(const Guest& guest, std::string_view root) {
    constexpr std::string_view kDev = "/dev/";
    if (!root.starts_with(kDev))
        return std::string(root);
    const auto name = root.substr(kDev.size());
    const auto wanted = parse_device_name(name);
    std::size_t virtio_disks = 0;
    std::string whole_disk;
    for (const auto& disk : guest.disks) {
        if (disk_bus(guest, disk) != DiskBus::virtio)
            continue;
        const auto linux_name = linux_disk_name("/dev/vd", virtio_disks++);
        if (disk.vdev == name)
            return linux_name;
        const auto own = parse_device_name(disk.vdev);
        if (wanted.index >= 0 && own.partition.empty() && own.prefix == wanted.prefix && own.index == wanted.index)
            whole_disk = linux_name + wanted.partition;
    }
    return whole_disk.empty() ? std::string(root) : whole_disk;
}

bool ends_on_serial_console(const std::vector<std::string>& words) {
    constexpr std::string_view kConsole = "console=";
    const auto last =
        std::find_if(words.rbegin(), words.rend(), [&](const auto& word) { return word.starts_with(kConsole); });
    return last != words.rend() && last->starts_with("console=ttyS0");
}

bool has_uefi(const Guest& guest, const QemuHost& host) {
    return guest.firmware == Firmware::uefi && guest.kernel.empty() && !host.uefi_code.empty();
}

std::string machine(const Guest& guest, const QemuHost& host) {
    const std::string pc = host.ram_fd >= 0 ? "pc,memory-backend=pc.ram" : "pc";
    if (has_uefi(guest, host))
        return pc + ",pflash0=uefi0,pflash1=uefi1";
    // without a screen SeaBIOS speaks on the serial console, where a guest that boots from its disk can be followed
    return guest.type == GuestType::hvm && !guest.vnc ? pc + ",graphics=off" : pc;
}

// Named as QEMU names memory of its own: a saved state fits to both.
void append_ram(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    if (host.ram_fd >= 0)
        argv.insert(argv.end(),
                    {"-object", fmt::format("memory-backend-file,id=pc.ram,size={}M,mem-path=/proc/self/fd/{},share={}",
                                            most_memory_mib(guest), host.ram_fd, host.ram_is_shared ? "on" : "off")});
}

void append_firmware(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    if (!has_uefi(guest, host))
        return;
    constexpr auto kFlash = "driver=raw,node-name={},read-only={},file.driver=file,file.filename={}";
    argv.insert(argv.end(), {"-blockdev", fmt::format(kFlash, "uefi0", "on", option_value(host.uefi_code)), "-blockdev",
                             fmt::format(kFlash, "uefi1", "off", option_value(host.uefi_variables))});
}

void append_machine(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    const bool is_kvm = host.engine == Engine::kvm;
    argv.insert(argv.end(), {"-name",
                             fmt::format("guest={0},process=vprov-{0},debug-threads=on", guest.name),
                             "-uuid",
                             guest_uuid(guest),
                             "-machine",
                             machine(guest, host),
                             "-accel",
                             is_kvm ? "kvm" : "tcg,thread=multi",
                             "-cpu",
                             is_kvm ? "host" : "max",
                             "-m",
                             fmt::format("{}M", most_memory_mib(guest)),
                             "-smp",
                             fmt::format("cpus=1,maxcpus={0},sockets=1,cores={0},threads=1", most_vcpus(guest)),
                             "-nodefaults",
                             "-no-user-config",
                             "-S",
                             "-action",
                             "reboot=shutdown,shutdown=pause,panic=pause",
                             "-rtc",
                             "base=utc"});
    if (host.sandbox)
        argv.insert(argv.end(),
                    {"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
    append_screen(guest, host, argv);
    for (unsigned i = 1; i < guest.vcpus; ++i)
        argv.insert(argv.end(), {"-device", qemu_option(qemu_vcpu(host.engine, i), "driver")});
}

void append_files(const QemuHost& host, std::vector<std::string>& argv) {
    for (const auto& file : host.files)
        argv.insert(argv.end(),
                    {"-add-fd", fmt::format("fd={},set={},opaque={}", file.fd, file.set, option_value(file.path))});
}

void append_channels(const QemuHost& host, std::vector<std::string>& argv) {
    if (host.monitor_fd >= 0)
        argv.insert(argv.end(), {"-chardev", fmt::format("socket,id=qmp1,fd={},server=on,wait=off", host.monitor_fd),
                                 "-mon", "chardev=qmp1,mode=control"});
    argv.insert(argv.end(),
                {"-chardev", fmt::format("socket,id=qmp0,fd={},server=on,wait=off", host.qmp_fd), "-mon",
                 "chardev=qmp0,mode=control", "-chardev",
                 fmt::format("socket,id=con0,fd={},server=on,wait=off", host.console_fd), "-serial", "chardev:con0",
                 "-device", "pvpanic", "-object", "rng-random,id=rng0,filename=/dev/urandom", "-device",
                 "virtio-rng-pci,rng=rng0", "-device", "virtio-balloon-pci,id=balloon0"});
    if (host.agent_fd >= 0)
        argv.insert(argv.end(), {"-chardev", fmt::format("socket,id=agent0,fd={},server=on,wait=off", host.agent_fd),
                                 "-device", "virtio-serial-pci,id=ports0", "-device",
                                 fmt::format("virtserialport,bus=ports0.0,nr=1,chardev=agent0,name={}", kAgentPort)});
}

void append_kernel(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    if (guest.kernel.empty())
        return;
    argv.insert(argv.end(), {"-kernel", host.kernel.empty() ? guest.kernel : host.kernel});
    if (!guest.ramdisk.empty())
        argv.insert(argv.end(), {"-initrd", host.ramdisk.empty() ? guest.ramdisk : host.ramdisk});
    argv.insert(argv.end(), {"-append", qemu_cmdline(guest, host.root)});
}

}  // namespace

std::vector<std::string> qemu_argv(const Guest& guest, const QemuHost& host) {
    std::vector<std::string> argv = {host.program};
    append_machine(guest, host, argv);
    append_files(host, argv);
    append_ram(guest, host, argv);
    append_firmware(guest, host, argv);
    append_channels(host, argv);
    append_kernel(guest, host, argv);
    append_disks(guest, host, argv);
    append_interfaces(guest, host, argv);
    if (host.incoming)
        argv.insert(argv.end(), {"-incoming", "defer"});
    return argv;
}

std::string name_in_qemu(unsigned set) {
    return fmt::format("/dev/fdset/{}", set);
}

std::string qemu_cmdline(const Guest& guest, RootName root) {
    constexpr std::string_view kRoot = "root=";
    std::vector<std::string> words;
    std::vector<std::string> for_init;
    for (const auto word : split_words(guest.cmdline)) {
        if (!for_init.empty() || word == "--")
            for_init.emplace_back(word);
        else if (root == RootName::translated && word.starts_with(kRoot))
            words.push_back(fmt::format("{}{}", kRoot, translated_root(guest, word.substr(kRoot.size()))));
        else
            words.emplace_back(word);
    }
    if (!ends_on_serial_console(words))
        words.emplace_back("console=ttyS0");
    words.insert(words.end(), for_init.begin(), for_init.end());
    return joined(words, " ");
}

std::string guest_uuid(const Guest& guest) {
    return guest.uuid.empty() ? Uuid::derived(guest.name, "domain").text() : guest.uuid;
}

std::string interface_mac(const Guest& guest, std::size_t index) {
    if (!guest.interfaces[index].mac.empty())
        return guest.interfaces[index].mac;
    const auto digest = sha256(fmt::format("vprov mac\n{}\n{}\n", guest_uuid(guest), index));
    return fmt::format("00:16:3e:{:02x}:{:02x}:{:02x}", digest.bytes[0] & 0x7f, digest.bytes[1], digest.bytes[2]);
}

}  // namespace vprov::hypervisor
