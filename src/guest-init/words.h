// What the init of small initrds reads: the kernel's command line, options of mount(8), aliases of modules. Texts end
// with NUL and are cut where they do not fit. Pure, and without a C library.
#pragma once

#include <stddef.h>

enum { kWordSize = 256, kNameSize = 64, kUuidSize = 40 };

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
