// libparted, loaded when a disk is first partitioned or read. Linked, it would run dmidecode(8) by a shell whenever the
// program starts (its constructor, of version 3.5).
#pragma once

#include <parted/parted.h>

namespace vprov::partition {

struct PartedLibrary {
    decltype(&::ped_constraint_destroy) constraint_destroy;
    decltype(&::ped_constraint_exact) constraint_exact;
    decltype(&::ped_device_destroy) device_destroy;
    decltype(&::ped_device_get) device_get;
    decltype(&::ped_disk_add_partition) disk_add_partition;
    decltype(&::ped_disk_commit_to_dev) disk_commit_to_dev;
    decltype(&::ped_disk_destroy) disk_destroy;
    decltype(&::ped_disk_new) disk_new;
    decltype(&::ped_disk_new_fresh) disk_new_fresh;
    decltype(&::ped_disk_next_partition) disk_next_partition;
    decltype(&::ped_disk_probe) disk_probe;
    decltype(&::ped_disk_type_get) disk_type_get;
    decltype(&::ped_exception_set_handler) exception_set_handler;
    decltype(&::ped_file_system_type_get) file_system_type_get;
    decltype(&::ped_partition_flag_get_name) partition_flag_get_name;
    decltype(&::ped_partition_is_flag_available) partition_is_flag_available;
    decltype(&::ped_partition_new) partition_new;
    decltype(&::ped_partition_set_flag) partition_set_flag;
    decltype(&::ped_partition_set_name) partition_set_name;
};

// Stays loaded. Throws Error(disk) "cannot load libparted (apt install libparted2): ..." when it is not installed.
const PartedLibrary& parted();

}  // namespace vprov::partition
