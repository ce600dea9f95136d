// Small programs that maintainer scripts start by the hundred, in one that has no C library. It knows by the name it
// was started under which one it is, and what it cannot do just as that one would, it leaves to it: the guest's own
// waits in VPROV_REAL_PROGRAMS.
#include <linux/auxvec.h>

#include "linux.h"

static const struct {
    const char* name;
    int (*run)(const struct start*);
} kPrograms[] = {
    {"basename", stand_in_for_basename},
    {"dirname", stand_in_for_dirname},
    {"readlink", stand_in_for_readlink},
    {"realpath", stand_in_for_realpath},
    {"mkdir", stand_in_for_mkdir},
    {"cp", stand_in_for_cp},
    {"dpkg-maintscript-helper", stand_in_for_dpkg_maintscript_helper},
    {"deb-systemd-helper", stand_in_for_deb_systemd_helper},
};

static _Noreturn void run_real(const char* name, const struct start* start) {
    char path[kPathSize];
    if (join(path, sizeof path, VPROV_REAL_PROGRAMS, "/", name))
        CALL3(SYS_execve, path, start->argv, start->environment);
    leave(127);
}

_Noreturn __attribute__((used)) void begin(long* stack) {
    struct start start = {(int)stack[0], (char**)(stack + 1), NULL};
    start.environment = start.argv + start.argc + 1;
    char** end = start.environment;
    while (*end) ++end;
    const char* path = start.argc > 0 ? start.argv[0] : "";
    for (const unsigned long* auxiliary = (const unsigned long*)(end + 1); auxiliary[0] != AT_NULL; auxiliary += 2)
        if (auxiliary[0] == AT_EXECFN)
            path = (const char*)auxiliary[1];
    const char* name = last_name(path);
    for (size_t i = 0; i < sizeof kPrograms / sizeof kPrograms[0]; ++i)
        if (start.argc > 0 && same(name, kPrograms[i].name)) {
            const int status = kPrograms[i].run(&start);
            if (status != kUseReal)
                leave(status);
        }
    run_real(name, &start);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl begin\n");
#endif

// The compiler may make calls of these.
void* memcpy(void* restrict to, const void* restrict from, size_t size) {
    for (size_t i = 0; i < size; ++i) ((char*)to)[i] = ((const char*)from)[i];
    return to;
}
void* memset(void* to, int value, size_t size) {
    for (size_t i = 0; i < size; ++i) ((char*)to)[i] = (char)value;
    return to;
}
