// basename(1), dirname(1), readlink(1) and realpath(1) of GNU coreutils.
#include "linux.h"

// Ends every output line.
static int put_line(char* text, size_t size) {
    text[size] = '\n';
    return put(text, size + 1) ? 0 : kUseReal;
}

static int put_part(const char* text, size_t size) {
    char line[kPathSize + 1];
    if (size >= kPathSize)
        return kUseReal;
    for (size_t i = 0; i < size; ++i) line[i] = text[i];
    return put_line(line, size);
}

// Without slashes at the end; one slash stays of a path that has nothing else.
static size_t without_slashes(const char* path) {
    size_t size = length(path);
    while (size > 1 && path[size - 1] == '/') --size;
    return size;
}

int stand_in_for_basename(const struct start* start) {
    if (start->argc < 2 || start->argc > 3 || start->argv[1][0] == '-')
        return kUseReal;
    const char* path = start->argv[1];
    size_t end = without_slashes(path), begin = end;
    while (begin > 0 && path[begin - 1] != '/') --begin;
    if (begin == end && end > 0)
        begin = end - 1;  // "/"
    if (start->argc == 3) {
        const char* suffix = start->argv[2];
        const size_t size = length(suffix);
        size_t matching = 0;
        while (matching < size && size < end - begin && path[end - size + matching] == suffix[matching]) ++matching;
        if (size > 0 && matching == size && path[begin] != '/')
            end -= size;
    }
    return put_part(path + begin, end - begin);
}

int stand_in_for_dirname(const struct start* start) {
    if (start->argc != 2 || start->argv[1][0] == '-')
        return kUseReal;
    const char* path = start->argv[1];
    size_t end = without_slashes(path);
    while (end > 0 && path[end - 1] != '/') --end;
    while (end > 1 && path[end - 1] == '/') --end;
    return end == 0 ? put_part(".", 1) : put_part(path, end);
}

// The kernel's own path of what the descriptor is open on, or 0 when it has none that leads there.
static size_t path_of_descriptor(long fd, char* path) {
    char link[] = "/proc/self/fd/0000000000";
    size_t digits = 1;
    for (long rest = fd; rest >= 10; rest /= 10) ++digits;
    char* at = link + sizeof "/proc/self/fd/" - 1;
    at[digits] = '\0';
    for (long rest = fd; digits > 0; rest /= 10) at[--digits] = (char)('0' + rest % 10);
    const long size = CALL4(SYS_readlinkat, AT_FDCWD, link, path, kPathSize - 1);
    if (size <= 0 || size >= kPathSize - 1 || path[0] != '/')
        return 0;
    path[size] = '\0';
    struct statx wanted, found;  // the name may be of something else by now, or end in " (deleted)"
    if (CALL5(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &wanted) != 0 ||
        CALL5(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, &found) != 0 ||
        wanted.stx_ino != found.stx_ino || wanted.stx_dev_major != found.stx_dev_major ||
        wanted.stx_dev_minor != found.stx_dev_minor)
        return 0;
    return (size_t)size;
}

int stand_in_for_readlink(const struct start* start) {
    char path[kPathSize + 1];
    if (start->argc == 2 && start->argv[1][0] != '-') {
        const long size = CALL4(SYS_readlinkat, AT_FDCWD, start->argv[1], path, kPathSize - 1);
        return size > 0 && size < kPathSize - 1 ? put_line(path, (size_t)size) : kUseReal;
    }
    if (start->argc != 3 || !same(start->argv[1], "-f") || start->argv[2][0] == '-')
        return kUseReal;
    const long fd = CALL4(SYS_openat, AT_FDCWD, start->argv[2], O_PATH | O_CLOEXEC, 0);
    const size_t size = fd < 0 ? 0 : path_of_descriptor(fd, path);
    return size > 0 ? put_line(path, size) : kUseReal;
}

// An absolute path without "." and repeated slashes; 0 where it has a "..", or is too long.
static size_t normalised(const char* path, char* result) {
    size_t size = 0;
    while (*path) {
        while (*path == '/') ++path;
        size_t name = 0;
        while (path[name] && path[name] != '/') ++name;
        if (name == 2 && path[0] == '.' && path[1] == '.')
            return 0;
        if (size + name + 2 > kPathSize)
            return 0;
        if (name > 0 && !(name == 1 && path[0] == '.')) {
            result[size++] = '/';
            for (size_t i = 0; i < name; ++i) result[size++] = path[i];
        }
        path += name;
    }
    if (size == 0)
        result[size++] = '/';
    result[size] = '\0';
    return size;
}

// -s, with -m or without: no link is followed.
int stand_in_for_realpath(const struct start* start) {
    if (start->argc != 3 || start->argv[2][0] != '/')
        return kUseReal;
    const int may_miss = same(start->argv[1], "-ms") || same(start->argv[1], "-sm");
    if (!may_miss && !same(start->argv[1], "-s"))
        return kUseReal;
    char path[kPathSize + 1];
    const size_t size = normalised(start->argv[2], path);
    if (size == 0 || start->argv[2][length(start->argv[2]) - 1] == '/')
        return kUseReal;
    struct statx status;
    if (!may_miss && CALL5(SYS_statx, AT_FDCWD, path, 0, STATX_TYPE, &status) != 0)
        return kUseReal;
    return put_line(path, size);
}
