// Disks as they will be: tables, partitions with their places, file systems, UUIDs, names on host and guest. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace vprov::partition {

// none: what a partition holds is not vprov's business (a boot loader's, an LVM member later on).
enum class Filesystem { ext2, ext3, ext4, xfs, btrfs, vfat, swap, none };
std::string_view name(Filesystem filesystem);  // as in fstab: "ext4", "swap"; "-" for none

enum class Table { none, gpt, mbr };
std::string_view name(Table table);  // "gpt"

// What a partition is for, as the table says it. extended_boot is the Boot Loader Specification's.
enum class Role { data, swap, esp, bios_boot, extended_boot, lvm, raid };
std::string_view name(Role role);  // as in recipes: "linux", "swap", "esp", "bios-boot", "xbootldr", "lvm", "raid"

// boot: MBR's "active", GPT's legacy BIOS bootable. The others are attributes of GPT only (bits 0, 60, 63).
enum class Flag { boot, required, read_only, no_automount };
std::string_view name(Flag flag);  // "boot", "required", "read-only", "no-automount"

enum class ImageFormat { raw, qcow2, vmdk, vdi, vhdx };
std::string_view name(ImageFormat format);  // also the ending of an image's file name, but for raw

// rest: what the others leave; content: what the files in it need, and `room` besides.
enum class Sizing { fixed, rest, content };

// A file system (or swap, or an area) with its place: a partition, or all of a disk without a table.
struct Volume {
    std::string name;  // "root"; unique in a layout
    Role role = Role::data;
    Filesystem filesystem = Filesystem::ext4;
    std::string mount;    // "/", "" for swap
    std::string label;    // of the file system; "" for none
    std::string options;  // fourth field of fstab: "defaults"
    unsigned dump = 0;    // fifth field of fstab
    unsigned pass = 0;    // sixth
    Uuid uuid;            // vfat has its first four bytes only

    Sizing sizing = Sizing::fixed;
    Bytes room;         // for Sizing::content
    Bytes start, size;  // on the disk; size 0 while it is not known (see is_settled)
    std::string guest;  // device name under Xen: "xvda1"

    // Of partitions only.
    unsigned number = 0;    // as the kernel counts: logical ones from 5; 0 is a whole disk
    bool logical = false;   // MBR
    std::string partlabel;  // GPT: its name
    Uuid partuuid;          // GPT
    std::set<Flag> flags;

    std::string uuid_text() const;  // as blkid prints it: "1A2B-3C4D" for vfat
    bool is_swap() const { return filesystem == Filesystem::swap; }
    bool operator==(const Volume&) const = default;
};

// A disk of the guest. Without a table it is a bare file system ("xvda1"), as Xen guests like them.
struct DiskPlan {
    std::string name;    // "root": the image is root.img
    std::string image;   // file name: "root.img", "root.qcow2"; "" for a device
    std::string device;  // block device of the host that it is written to; "" for an image
    bool made = false;   // the device is a volume that a build of this guest has made
    std::string guest;   // device name under Xen: "xvda", or "xvda1" without a table
    ImageFormat format = ImageFormat::raw;
    bool overlay = false;  // a qcow2 image on a base that other guests share
    std::string backing;   // of an overlay that is written: its base's path from the guest's directory
    Table table = Table::none;
    Uuid table_uuid;                  // GPT's disk GUID; MBR's signature is its first four bytes
    std::uint32_t sector_size = 512;  // logical; 512 or 4096
    Sizing sizing = Sizing::fixed;    // or content: as large as its volumes come to
    Bytes size;                       // 0 while it is not known
    std::vector<Volume> volumes;      // in the order of their places; exactly one without a table

    std::uint32_t signature() const;  // of an MBR
    bool operator==(const DiskPlan&) const = default;
};

struct DiskLayout {
    std::vector<DiskPlan> disks;  // in the order of the recipe

    const Volume& root() const;  // the one mounted at "/"; its absence is an internal error
    const DiskPlan& root_disk() const;
    std::vector<const Volume*> volumes() const;  // of all disks, in order
    bool operator==(const DiskLayout&) const = default;
};

// As the kernel writes it in root=PARTUUID=: GPT's UUID, "12345678-01" on an MBR. "" for a disk without a table.
std::string partuuid_text(const DiskPlan& disk, const Volume& volume);

// "xvda" and 1 give "xvda1"; "nvme0n1" and 1 give "nvme0n1p1".
std::string partition_device(std::string_view disk, unsigned number);

// A map for `vprov plan`. A bare disk is a line: "root.img  xvda1  2G  ext4  /  UUID=...". A disk with a table has a
// line of its own and one for each area, with offset and size, in the order of their places, free space among them.
std::string describe(const DiskLayout& layout);

}  // namespace vprov::partition
