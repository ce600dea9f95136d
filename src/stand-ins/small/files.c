// mkdir(1) and cp(1) of GNU coreutils.
#include "linux.h"

static int is_directory(const char* path) {
    struct statx status;
    return CALL5(SYS_statx, AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && (status.stx_mode & S_IFMT) == S_IFDIR;
}

// 1 when it was made, 0 when it is there, -1 where the real one shall say what is wrong.
static int make_directory(const char* path) {
    const long result = CALL3(SYS_mkdirat, AT_FDCWD, path, 0777);
    if (result == 0)
        return 1;
    return result == -EEXIST && is_directory(path) ? 0 : -1;
}

// -p PATH, where parents get what the umask leaves: it must leave their owner the right to go on.
int stand_in_for_mkdir(const struct start* start) {
    if (start->argc != 3 || !same(start->argv[1], "-p") || start->argv[2][0] == '-' || start->argv[2][0] == '\0')
        return kUseReal;
    if (is_directory(start->argv[2]))
        return 0;
    const long mask = CALL1(SYS_umask, 0777);
    CALL1(SYS_umask, mask);
    const size_t size = length(start->argv[2]);
    if ((mask & 0300) != 0 || size >= kPathSize)
        return kUseReal;
    char path[kPathSize];
    for (size_t i = 0; i <= size; ++i) {
        const char next = start->argv[2][i];
        path[i] = '\0';
        if (i > 0 && (next == '/' || next == '\0') && path[i - 1] != '/' && make_directory(path) < 0)
            return kUseReal;
        path[i] = next;
    }
    return 0;
}

static const struct __kernel_timespec* times_of(const struct statx* status, struct __kernel_timespec* times) {
    times[0] = (struct __kernel_timespec){status->stx_atime.tv_sec, status->stx_atime.tv_nsec};
    times[1] = (struct __kernel_timespec){status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec};
    return times;
}

static int copy_link(const char* from, const char* to, const struct statx* status) {
    char target[kPathSize];
    const long size = CALL4(SYS_readlinkat, AT_FDCWD, from, target, sizeof target - 1);
    if (size <= 0 || size >= (long)sizeof target - 1)
        return 0;
    target[size] = '\0';
    struct __kernel_timespec times[2];
    return CALL3(SYS_symlinkat, target, AT_FDCWD, to) == 0 &&
           CALL5(SYS_fchownat, AT_FDCWD, to, status->stx_uid, status->stx_gid, AT_SYMLINK_NOFOLLOW) == 0 &&
           CALL4(SYS_utimensat, AT_FDCWD, to, times_of(status, times), AT_SYMLINK_NOFOLLOW) == 0;
}

static int copy_content(long from, long to) {
    for (;;) {
        const long count = CALL4(SYS_sendfile, to, from, 0, 1L << 30);
        if (count <= 0)
            return count == 0;
    }
}

static int copy_file(const char* from, const char* to, const struct statx* status) {
    const long in = CALL4(SYS_openat, AT_FDCWD, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (in < 0 || CALL3(SYS_flistxattr, in, 0, 0) != 0)  // access control lists and capabilities are the real one's
        return 0;
    const long out = CALL4(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct __kernel_timespec times[2];
    return out >= 0 && copy_content(in, out) && CALL3(SYS_fchown, out, status->stx_uid, status->stx_gid) == 0 &&
           CALL2(SYS_fchmod, out, status->stx_mode & 07777) == 0 &&
           CALL4(SYS_utimensat, out, 0, times_of(status, times), 0) == 0;
}

// A file that a stand-in covers is copied as it really is: such copies last, in an initramfs for instance.
static int is_a_stand_in(const struct statx* status) {
    struct statx own;
    return CALL5(SYS_statx, AT_FDCWD, "/proc/self/exe", 0, STATX_INO, &own) == 0 && own.stx_ino == status->stx_ino &&
           own.stx_dev_major == status->stx_dev_major && own.stx_dev_minor == status->stx_dev_minor;
}

// -p or -pP of one regular file, or with -P one link, to a name that is free.
int stand_in_for_cp(const struct start* start) {
    if (start->argc != 4 || start->argv[2][0] == '-' || start->argv[3][0] == '-')
        return kUseReal;
    const int links = same(start->argv[1], "-pP");
    if (!links && !same(start->argv[1], "-p"))
        return kUseReal;
    const char *from = start->argv[2], *to = start->argv[3];
    struct statx status, there;
    if (CALL5(SYS_statx, AT_FDCWD, from, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0 ||
        CALL5(SYS_statx, AT_FDCWD, to, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) != -ENOENT)
        return kUseReal;
    const int kind = status.stx_mode & S_IFMT;
    if (kind == S_IFREG && is_a_stand_in(&status)) {
        char real[kPathSize];
        if (!join(real, sizeof real, VPROV_REAL_PROGRAMS, "/", last_name(from)))
            return kUseReal;
        return CALL5(SYS_statx, AT_FDCWD, real, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) == 0 &&
                       copy_file(real, to, &status)
                   ? 0
                   : 1;
    }
    if (kind == S_IFREG ? copy_file(from, to, &status) : kind == S_IFLNK && links && copy_link(from, to, &status))
        return 0;
    CALL3(SYS_unlinkat, AT_FDCWD, to, 0);
    return kUseReal;
}
