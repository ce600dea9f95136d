// Changes to a running domain of Xen.
#include "base/error.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/xen/xen_engine.h"
#include "hypervisor/xen/xen_preflight.h"

namespace vprov::hypervisor {

// xl does not wait for the guest's balloon driver.
std::uint64_t XenEngine::set_memory(const std::string& name, std::uint64_t mib) const {
    const auto domain = find(name);  // Domain-0's may be changed as well
    order("set the memory of", domain, {"mem-set", std::to_string(domain.id), fmt::format("{}m", mib)});
    return find(domain.name).memory_mib;
}

void XenEngine::set_vcpus(const std::string& name, unsigned count) const {
    const auto domain = find(name);
    order("set the processors of", domain, {"vcpu-set", std::to_string(domain.id), std::to_string(count)});
}

void XenEngine::attach_disk(const std::string& name, const GuestDisk& disk) const {
    const auto domain = find_guest("attach a disk to", name);
    Guest guest;  // what is attached has to be right as if the domain began with it
    guest.name = domain.name;
    guest.disks.push_back(disk);
    auto& attached = guest.disks.front();
    if (!disk.target.empty() && disk.script.empty())
        attached.target = std::filesystem::absolute(disk.target).lexically_normal();
    refuse_shared_disks("attach a disk to", guest, details());
    order("attach a disk to", domain,
          {"block-attach", std::to_string(domain.id), write_disk_spec(attached, Dialect::xl, GuestType::pv)});
}

void XenEngine::detach_disk(const std::string& name, const std::string& vdev) const {
    const auto domain = find_guest("detach a disk from", name);
    order("detach a disk from", domain, {"block-detach", std::to_string(domain.id), vdev});
}

std::vector<std::string> XenEngine::attach_interface(const std::string& name, const GuestInterface& interface) const {
    const auto domain = find_guest("attach an interface to", name);
    order("attach an interface to", domain,
          {"network-attach", std::to_string(domain.id), write_vif_spec(interface, Dialect::xl)});
    return {};
}

void XenEngine::detach_interface(const std::string& name, const std::string& devid_or_mac) const {
    const auto domain = find_guest("detach an interface from", name);
    order("detach an interface from", domain, {"network-detach", std::to_string(domain.id), devid_or_mac});
}

void XenEngine::change_cd(const std::string& name, const std::string& vdev, const std::string& file) const {
    const auto domain = find_guest("change the CD of", name);
    if (file.empty())
        order("eject the CD of", domain, {"cd-eject", std::to_string(domain.id), vdev});
    else
        order("insert a CD into", domain, {"cd-insert", std::to_string(domain.id), vdev, file});
}

}  // namespace vprov::hypervisor
