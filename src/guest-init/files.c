#include "init.h"

struct entry {  // linux_dirent64 of getdents64(2)
    __u64 inode;
    __s64 offset;
    unsigned short size;
    unsigned char type;
    char name[];
};
enum { kDirectory = 4 };  // DT_DIR

long read_text(const char* path, char* buffer, size_t capacity) {
    const long fd = CALL4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    buffer[0] = '\0';
    if (fd < 0)
        return -1;
    size_t size = 0;
    long got;
    while (size + 1 < capacity && (got = CALL3(SYS_read, fd, buffer + size, capacity - 1 - size)) > 0)
        size += (size_t)got;
    CALL1(SYS_close, fd);
    while (size > 0 && buffer[size - 1] == '\n') --size;
    buffer[size] = '\0';
    return (long)size;
}

int for_each_name(const char* directory, int (*visit)(const char* name, void* context), void* context) {
    const long fd = CALL4(SYS_openat, AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    _Alignas(8) char buffer[4096];
    long size;
    int result = 0;
    while (!result && (size = CALL3(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
        for (char* at = buffer; !result && at < buffer + size; at += ((struct entry*)at)->size) {
            const char* name = ((struct entry*)at)->name;
            if (!same(name, ".") && !same(name, ".."))
                result = visit(name, context);
        }
    CALL1(SYS_close, fd);
    return result;
}

int exists(const char* path) {
    return !is_missing(path);
}

void make_file(const char* path) {
    const long fd = CALL4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        CALL1(SYS_close, fd);
}

static int is_on(int directory, const char* name, const struct statx* top) {
    struct statx status;
    return CALL5(SYS_statx, directory, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) == 0 &&
           status.stx_dev_major == top->stx_dev_major && status.stx_dev_minor == top->stx_dev_minor;
}

void remove_below(int directory) {
    struct statx top;
    if (CALL5(SYS_statx, directory, "", AT_EMPTY_PATH, STATX_TYPE, &top) != 0)
        return;
    _Alignas(8) char buffer[2048];
    long size;
    while ((size = CALL3(SYS_getdents64, directory, buffer, sizeof buffer)) > 0)
        for (char* at = buffer; at < buffer + size; at += ((struct entry*)at)->size) {
            const struct entry* entry = (const struct entry*)at;
            if (same(entry->name, ".") || same(entry->name, "..") || !is_on(directory, entry->name, &top))
                continue;
            if (entry->type != kDirectory) {
                CALL3(SYS_unlinkat, directory, entry->name, 0);
                continue;
            }
            const long inner = CALL4(SYS_openat, directory, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
            if (inner >= 0) {
                remove_below((int)inner);
                CALL1(SYS_close, inner);
            }
            CALL3(SYS_unlinkat, directory, entry->name, AT_REMOVEDIR);
        }
}

void write_number(long value, char text[24]) {
    char digits[24];
    size_t size = 0, at = 0;
    unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
    do digits[size++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        text[at++] = '-';
    while (size > 0) text[at++] = digits[--size];
    text[at] = '\0';
}

void say(const char* const* parts) {
    char line[1024];
    size_t size = 0;
    copy_text(line, sizeof line, "vprov-init: ", kWordSize);
    for (; *parts; ++parts) {
        size = length(line);
        copy_text(line + size, sizeof line - size - 1, *parts, sizeof line);
    }
    size = length(line);
    line[size] = '\n';
    put(line, size + 1);
}
