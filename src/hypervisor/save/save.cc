#include "hypervisor/save/save.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/save/begun.h"
#include "hypervisor/save/migration.h"
#include "hypervisor/save/save_file.h"
#include "os/unnamed_file.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

std::string engine_of(const Domains& domains, const std::string& name) {
    const auto record = domains.state().read(name);
    return record && record->engine.starts_with("KVM") ? "kvm" : "tcg";
}

// The PCI slots of devices by their ids.
std::map<std::string, int> slots_of(Monitor& monitor) {
    std::map<std::string, int> slots;
    for (const auto& bus : monitor.execute("query-pci"))
        for (const auto& device : bus.at("devices")) slots[device.value("qdev_id", "")] = device.value("slot", -1);
    return slots;
}

struct Place {
    std::string device;
    int pinned = 0;  // the slot that it is plugged into whatever the others are; 0: the next
};

std::vector<Place> places_of(const Guest& guest) {
    std::vector<Place> places;
    for (const auto& disk : guest.disks)
        if (disk_bus(guest, disk) == DiskBus::virtio)
            places.push_back({disk.vdev, static_cast<int>(disk.pci_slot)});
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i)
        places.push_back(
            {fmt::format("vif{}", interface_devid(guest, i)), static_cast<int>(guest.interfaces[i].pci_slot)});
    return places;
}

// A QEMU that starts gives its devices the slots one after the other, in the order of the command line: disks, then
// network cards. A device that was attached or detached since may have left another order, and the state would name
// devices where a restored guest has none.
void check_places(const Guest& guest, Monitor& monitor) {
    const auto slots = slots_of(monitor);
    std::optional<int> last;
    for (const auto& place : places_of(guest)) {
        const auto found = slots.find(place.device);
        if (found == slots.end())
            continue;
        if (place.pinned != 0 ? found->second != place.pinned : last && found->second != *last + 1)
            throw error(
                ErrorKind::hypervisor,
                "its device {} is at another place than a new start would give it, for devices were attached or "
                "detached since it was created",
                quote(place.device));
        if (place.pinned == 0)
            last = found->second;
    }
}

// Puts the state of `name`, which stands still, and all that restoring it needs into `file`.
void write_state(const Domains& domains, const std::string& name, Monitor& monitor, const os::UnnamedFile& file,
                 const SaveOptions& options) {
    SavedDomain saved;
    saved.request.guest = domains.configuration(name);
    if (const auto request = domains.state().read_request(name))
        saved.request.sandbox = request->sandbox;
    saved.engine = engine_of(domains, name);
    saved.request.engine = saved.engine == "kvm" ? EngineChoice::kvm : EngineChoice::tcg;
    check_places(saved.request.guest, monitor);
    const auto qemu = query_qemu(monitor);
    saved.qemu = qemu.version;
    saved.machine = qemu.machine;
    const auto offset = stream_offset(saved.request, identify_disks(saved.request.guest).size());
    if (::lseek(file.fd().get(), static_cast<off_t>(offset), SEEK_SET) < 0)
        throw system_error(ErrorKind::hypervisor, errno, "its file cannot be written from a place within");
    migrate_to(monitor, file.fd(), [&] {
        if (options.sync)  // begins to write to the disk, so that less of it is left for the end
            ::sync_file_range(file.fd().get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    });
    saved.saved = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    saved.files = identify_disks(saved.request.guest);  // QEMU has written back and let go of them
    write_header(file.fd(), offset, saved);
    // a supervisor that had to be replaced meanwhile has let it go on
    if (const auto status = monitor.execute("query-status").value("status", ""); status != "postmigrate")
        throw error(ErrorKind::hypervisor, "it has gone on meanwhile ({})", status);
}

void check_disks(const SavedDomain& saved) {
    for (const auto& file : saved.files)
        if (const auto change = change_since(file); !change.empty())
            throw error(ErrorKind::hypervisor,
                        "its disk {} has changed since it was saved: {} (--force restores it all the same, and as a "
                        "rule damages the file system)",
                        quote(file.path), change);
}

void check_qemu(const SavedDomain& saved, Monitor& monitor) {
    const auto now = query_qemu(monitor);
    if (now.version != saved.qemu || now.machine != saved.machine)
        throw error(ErrorKind::hypervisor, "it was saved by QEMU {} ({}), and this is QEMU {} ({})", saved.qemu,
                    saved.machine, now.version, now.machine);
}

CreatedDomain resume(const Domains& domains, const OpenedSave& from, const RestoreOptions& options) {
    const auto& saved = from.saved;
    if (!saved.request.template_memory.empty())
        throw error(ErrorKind::hypervisor, "it is a template's (vprov create --from DIRECTORY NAME)");
    if (domains.is_running(saved.request.guest.name))
        throw error(ErrorKind::hypervisor, "a domain named {} is running", quote(saved.request.guest.name));
    if (!options.force)
        check_disks(saved);
    CreateOptions creation;
    creation.executable = options.executable;
    creation.engine = saved.request.engine;
    creation.folder = "/";
    creation.sandbox = saved.request.sandbox;
    auto [created, operation] = domains.create_incoming(saved.request.guest, creation, {}, "restore");
    {
        auto monitor = domains.monitor(operation);
        check_qemu(saved, monitor);
        migrate_from(monitor, from.file);
    }
    try {
        options.paused ? operation.done() : operation.run();
    } catch (const Error& e) {
        const auto wanted = options.paused ? Phase::paused : Phase::running;
        if (e.kind() == ErrorKind::interrupted || !has_begun_all_the_same(domains, created.name, wanted))
            throw;
    }
    return created;
}

}  // namespace

SaveResult save_domain(const Domains& domains, const std::string& name, const fs::path& path,
                       const SaveOptions& options) {
    try {
        os::UnnamedFile file(path, 0600);
        const auto begin = Clock::now();
        auto operation = domains.operate(name, "save");
        const bool ran = domains.find(name).state[2] != 'p';
        auto monitor = domains.monitor(operation);  // kept: nobody lets the guest go on while its memory is read
        stop_guest(monitor);
        write_state(domains, name, monitor, file, options);
        struct stat status {};
        ::fstat(file.fd().get(), &status);
        file.commit(options.sync ? os::UnnamedFile::Durability::durable : os::UnnamedFile::Durability::eventual);
        if (options.after == AfterSave::end)
            operation.finish();
        else if (options.after == AfterSave::run && ran)
            operation.run();
        else
            operation.done();
        return {static_cast<std::uint64_t>(status.st_size),
                std::chrono::duration<double>(Clock::now() - begin).count()};
    } catch (Error& e) {
        e.add_context(fmt::format("cannot save {}", quote(name)));
        throw;
    }
}

CreatedDomain restore_domain(const Domains& domains, const fs::path& path, const RestoreOptions& options) {
    const auto opened = open_save(path);
    try {
        return resume(domains, opened, options);
    } catch (Error& e) {
        e.add_context(fmt::format("cannot restore from {}", quote(path.native())));
        throw;
    }
}

}  // namespace vprov::hypervisor
