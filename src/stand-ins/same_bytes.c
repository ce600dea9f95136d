// Preloaded into mkfs.btrfs(8), which else writes down what differs from run to run: the clock, random UUIDs, and of
// the tree that it copies the order of names in its directories, inode numbers, and times that nobody can set
// (btrfs-progs 6.2 to 6.14, mkfs/rootdir.c). The environment says what it gets instead:
//   VPROV_TIME   what time(2) says
//   VPROV_UUIDS  what uuid_generate(3) says, one call after the other, apart by blanks
//   VPROV_NODES  "INODE:MODE:DEVICE" in hexadecimal: files that are devices, apart by blanks
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { kFirstInode = 257, kFewest = 1 << 12 };

static const char* setting(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

time_t time(time_t* where) {
    const time_t now = (time_t)strtoll(setting("VPROV_TIME"), NULL, 10);
    if (where)
        *where = now;
    return now;
}

void uuid_generate(unsigned char* out) {
    static const char* rest;
    if (!rest)
        rest = setting("VPROV_UUIDS");
    for (int i = 0; i < 16; ++i) {
        unsigned byte = 0;
        int length = 0;
        while (*rest == '-' || *rest == ' ') ++rest;
        if (sscanf(rest, "%2x%n", &byte, &length) != 1)
            abort();  // more are wanted than are known: nothing is better than what cannot be made again
        out[i] = (unsigned char)byte;
        rest += length;
    }
}

int scandir64(const char* folder, struct dirent64*** names, int (*wanted)(const struct dirent64*),
              int (*order)(const struct dirent64**, const struct dirent64**)) {
    int (*real)(const char*, struct dirent64***, int (*)(const struct dirent64*),
                int (*)(const struct dirent64**, const struct dirent64**)) = dlsym(RTLD_NEXT, "scandir64");
    return real(folder, names, wanted, order ? order : alphasort64);
}

// Open addressing; 0 is no inode.
static ino_t* seen;
static ino_t* numbers;
static size_t room, used;

static size_t slot_of(const ino_t* table, size_t size, ino_t inode) {
    size_t slot = (size_t)(inode * 0x9e3779b97f4a7c15ULL) & (size - 1);
    while (table[slot] != 0 && table[slot] != inode) slot = (slot + 1) & (size - 1);
    return slot;
}

static void grow(void) {
    const size_t more = room ? 2 * room : kFewest;
    ino_t* keys = calloc(more, sizeof *keys);
    ino_t* values = calloc(more, sizeof *values);
    if (!keys || !values)
        abort();
    for (size_t i = 0; i < room; ++i) {
        if (seen[i] == 0)
            continue;
        const size_t slot = slot_of(keys, more, seen[i]);
        keys[slot] = seen[i];
        values[slot] = numbers[i];
    }
    free(seen);
    free(numbers);
    seen = keys;
    numbers = values;
    room = more;
}

// Inodes in the order in which they are asked for.
static ino_t number_of(ino_t inode) {
    if (2 * (used + 1) > room)
        grow();
    const size_t slot = slot_of(seen, room, inode);
    if (seen[slot] == 0) {
        seen[slot] = inode;
        numbers[slot] = kFirstInode + used++;
    }
    return numbers[slot];
}

static void become_device(struct stat64* status) {
    const char* nodes = setting("VPROV_NODES");
    unsigned long long inode = 0, device = 0;
    unsigned mode = 0;
    int length = 0;
    for (; sscanf(nodes, " %llx:%x:%llx%n", &inode, &mode, &device, &length) == 3; nodes += length) {
        if (inode != status->st_ino)
            continue;
        status->st_mode = (mode_t)mode;
        status->st_rdev = (dev_t)device;
    }
}

int lstat64(const char* path, struct stat64* status) {
    const int failed = fstatat64(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
    if (failed)
        return failed;
    status->st_mtim.tv_nsec = 0;
    status->st_atim = status->st_ctim = status->st_mtim;
    become_device(status);
    status->st_ino = number_of(status->st_ino);
    return 0;
}

#if __SIZEOF_LONG__ == 8  // the same by another name, which programs use there; 32-bit ones have large files by these
int lstat(const char* path, struct stat* status) {
    return lstat64(path, (struct stat64*)status);
}

int scandir(const char* folder, struct dirent*** names, int (*wanted)(const struct dirent*),
            int (*order)(const struct dirent**, const struct dirent**)) {
    return scandir64(folder, (struct dirent64***)names, (int (*)(const struct dirent64*))wanted,
                     (int (*)(const struct dirent64**, const struct dirent64**))order);
}
#endif
