// The parts of the init of small initrds, which has no C library.
#pragma once

#include "small/linux.h"
#include "volume.h"
#include "words.h"

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
