// The parts of the init of small initrds, which has no C library. Texts end with NUL and are cut where they do not fit.
#pragma once

#include "small/linux.h"

enum { kWordSize = 256, kNameSize = 64, kUuidSize = 40 };

// words.c

// What Linux's command line says to this program.
struct wishes {
    char root[kWordSize];        // "UUID=...", "/dev/vda1"; "" when it is not said
    char filesystem[kNameSize];  // rootfstype=
    char options[kWordSize];     // rootflags=, of mount(8)
    char init[kWordSize];        // "/sbin/init"
    int writable;                // rw
    int check_always;            // fsck.mode=force
    long seconds;                // how long the root device is waited for
};
// Words are separated by blanks outside of double quotes, which are left out.
void read_wishes(const char* cmdline, struct wishes* wishes);
// A list of mount(8)'s options: what the kernel takes as flags, and the rest of the list in `data`.
unsigned long mount_flags(const char* options, char* data, size_t capacity);
// As fnmatch(3) without flags, for the patterns of modules.alias: *, ? and sets.
int matches(const char* pattern, const char* text);
int starts_with(const char* text, const char* prefix);
// The text without the prefix; NULL for one that has another beginning.
const char* without(const char* text, const char* prefix);
int same_without_case(const char* a, const char* b);
void copy_text(char* to, size_t capacity, const char* from, size_t size);
long number_in(const char* digits);
// 16 bytes in the order of RFC 4122 or, `mixed`, in that of a GPT.
void write_uuid(const unsigned char* bytes, int mixed, char text[kUuidSize]);
void write_hex(unsigned long value, unsigned digits, char* text);

// files.c

// The first `capacity` - 1 bytes, without line ends at the end; -1 when it cannot be opened.
long read_text(const char* path, char* buffer, size_t capacity);
// Calls it for each name but . and .. until that returns nonzero, which is returned.
int for_each_name(const char* directory, int (*visit)(const char* name, void* context), void* context);
int exists(const char* path);
void make_file(const char* path);
// All below it that is on the same file system, without following links.
void remove_below(int directory);
void say(const char* const* parts);  // a line on the console, "vprov-init: ..."; NULL ends the list
#define SAY(...) say((const char* const[]){__VA_ARGS__, NULL})
void write_number(long value, char text[24]);

// modules.c

// A line of such a file is "PATTERN FILE...": an alias of devices, and the modules' files in the order of loading.
// Those with the pattern "-" are loaded at once.
void add_modules(const char* path);
// Those that are not loaded yet, of the devices that are there now.
void load_modules_for_devices(void);

// volume.c

struct volume {
    char type[kNameSize];  // "ext4", "xfs", "btrfs"; "" : none that is known
    char uuid[kUuidSize];
    char label[kWordSize];
    int clean;  // whether its check at boot would look at nothing
};
void read_volume(int device, struct volume* volume);
// The PARTUUID of a partition, whose disk is open; "" without a table that is known.
void read_partuuid(int disk, unsigned number, unsigned sector_size, char text[kUuidSize]);

// root.c

struct found {
    char device[kNameSize];  // "vda1"
    struct volume volume;
};
// Nonzero when there is such a device now: UUID=, LABEL=, PARTUUID=, PARTLABEL=, /dev/disk/by-*/, or a name, which may
// be what a disk of QEMU has as its serial number, as in "xvda1".
int find_root(const char* root, struct found* found);
// "vda, vda1", for those who look for the one that is missing.
void list_devices(char* text, size_t capacity);
