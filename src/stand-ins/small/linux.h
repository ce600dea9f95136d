// System calls and strings without a C library. What starts before main() in a static or dynamic program of glibc takes
// most of the time of a small program's run, above all under a hypervisor, which is asked for each cpuid instruction.
#pragma once

#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/types.h>
#include <stddef.h>
#include <sys/syscall.h>

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#endif
}
#define CALL1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(n, a, b, c, d, e) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(n, a, b, c, d, e, f) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline _Noreturn void leave(int status) {
    for (;;) CALL1(SYS_exit_group, status);
}

static inline size_t length(const char* text) {
    size_t size = 0;
    while (text[size]) ++size;
    return size;
}

static inline int same(const char* a, const char* b) {
    while (*a && *a == *b) ++a, ++b;
    return *a == *b;
}

// The part after the last '/'.
static inline const char* last_name(const char* path) {
    const char* name = path;
    for (; *path; ++path)
        if (*path == '/')
            name = path + 1;
    return name;
}

// The three parts one after the other, in a buffer of `capacity` bytes; 0 when they do not fit.
static inline int join(char* result, size_t capacity, const char* first, const char* second, const char* third) {
    const char* const parts[] = {first, second, third};
    size_t size = 0;
    for (size_t i = 0; i < 3; ++i)
        for (const char* at = parts[i]; *at; ++at) {
            if (size + 1 >= capacity)
                return 0;
            result[size++] = *at;
        }
    result[size] = '\0';
    return 1;
}

// True when all of it has been written to standard output.
static inline int put(const char* text, size_t size) {
    return CALL3(SYS_write, 1, text, size) == (long)size;
}

// lstat(2) says ENOENT.
static inline int is_missing(const char* path) {
    struct statx status;
    return CALL5(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) == -ENOENT;
}

// What a program was started with. A stand-in returns an exit status, or kUseReal before it has changed anything: then
// the program that it stands in for does the work.
struct start {
    int argc;
    char** argv;
    char** environment;
};
enum { kUseReal = -1, kPathSize = 4096 };

// "" when it is not set.
static inline const char* variable(const struct start* start, const char* name) {
    for (char** entry = start->environment; *entry; ++entry) {
        size_t i = 0;
        while (name[i] && (*entry)[i] == name[i]) ++i;
        if (!name[i] && (*entry)[i] == '=')
            return *entry + i + 1;
    }
    return "";
}

int stand_in_for_basename(const struct start* start);
int stand_in_for_dirname(const struct start* start);
int stand_in_for_readlink(const struct start* start);
int stand_in_for_realpath(const struct start* start);
int stand_in_for_mkdir(const struct start* start);
int stand_in_for_cp(const struct start* start);
int stand_in_for_dpkg_maintscript_helper(const struct start* start);
int stand_in_for_deb_systemd_helper(const struct start* start);
