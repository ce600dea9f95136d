#include "partition/image/parted_library.h"

#include <dlfcn.h>

#include <type_traits>

#include "base/error.h"

namespace vprov::partition {
namespace {

constexpr const char* kLibrary = "libparted.so.2";

PartedLibrary load() {
    void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        throw error(ErrorKind::disk, "cannot load libparted (apt install libparted2): {}", ::dlerror());
    const auto find = [library](auto& function, const char* name) {
        void* address = ::dlsym(library, name);
        if (!address)
            throw error(ErrorKind::disk, "cannot load libparted: {} has no {}", kLibrary, name);
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    };
    PartedLibrary out{};
    find(out.constraint_destroy, "ped_constraint_destroy");
    find(out.constraint_exact, "ped_constraint_exact");
    find(out.device_destroy, "ped_device_destroy");
    find(out.device_get, "ped_device_get");
    find(out.disk_add_partition, "ped_disk_add_partition");
    find(out.disk_commit_to_dev, "ped_disk_commit_to_dev");
    find(out.disk_destroy, "ped_disk_destroy");
    find(out.disk_new, "ped_disk_new");
    find(out.disk_new_fresh, "ped_disk_new_fresh");
    find(out.disk_next_partition, "ped_disk_next_partition");
    find(out.disk_probe, "ped_disk_probe");
    find(out.disk_type_get, "ped_disk_type_get");
    find(out.exception_set_handler, "ped_exception_set_handler");
    find(out.file_system_type_get, "ped_file_system_type_get");
    find(out.partition_flag_get_name, "ped_partition_flag_get_name");
    find(out.partition_is_flag_available, "ped_partition_is_flag_available");
    find(out.partition_new, "ped_partition_new");
    find(out.partition_set_flag, "ped_partition_set_flag");
    find(out.partition_set_name, "ped_partition_set_name");
    return out;
}

}  // namespace

const PartedLibrary& parted() {
    static const PartedLibrary library = load();
    return library;
}

}  // namespace vprov::partition
