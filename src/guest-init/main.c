// The init of a guest's small initrd: loads the modules for the disks that are there, waits for the root device, mounts
// it as the kernel's command line says, and leaves the rest to the guest's own init. vprov-recipe(5), [system] boot.
#include <linux/auxvec.h>
#include <linux/mount.h>

#include "init.h"

#define ROOT "/root"

enum { kDetach = 2 };  // MNT_DETACH of umount2(2)

static int mount_at(const char* source, const char* target, const char* type, unsigned long flags, const char* data) {
    return (int)CALL5(SYS_mount, source, target, type, flags, data);
}

// Nothing more can be done: the kernel panics when this program ends, and says where.
#define GIVE_UP(...) (SAY("cannot ", __VA_ARGS__), leave(1))

static void mount_api_filesystems(void) {
    static const char* const kDirectories[] = {"/dev", "/proc", "/sys", "/run", ROOT};
    for (size_t i = 0; i < sizeof kDirectories / sizeof kDirectories[0]; ++i)
        CALL3(SYS_mkdirat, AT_FDCWD, kDirectories[i], 0755);
    mount_at("udev", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
    mount_at("proc", "/proc", "proc", MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL);
    mount_at("sysfs", "/sys", "sysfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL);
    mount_at("tmpfs", "/run", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, "mode=0755,size=20%");
}

static void wait_for_root(const struct wishes* wishes, struct found* found) {
    enum { kStep = 5, kOthersAfter = 500 };  // milliseconds
    const struct __kernel_timespec step = {0, kStep * 1000000};
    add_modules("/modules");
    for (long waited = 0; waited <= wishes->seconds * 1000; waited += kStep) {
        if (waited == kOthersAfter)
            add_modules("/modules-later");  // for the controllers that most machines have for nothing
        load_modules_for_devices();
        if (find_root(wishes->root, found))
            return;
        CALL2(SYS_nanosleep, &step, NULL);
    }
    char devices[512], seconds[24];
    list_devices(devices, sizeof devices);
    write_number(wishes->seconds, seconds);
    GIVE_UP("find the root device ", wishes->root, " after ", seconds, " s; there is ",
            devices[0] ? devices : "no disk");
}

static void mount_root(const struct wishes* wishes, const struct found* found) {
    char device[kWordSize], data[kWordSize], number[24];
    const char* type = wishes->filesystem[0] ? wishes->filesystem : found->volume.type;
    const unsigned long flags = mount_flags(wishes->options, data, sizeof data) | (wishes->writable ? 0 : MS_RDONLY);
    join(device, sizeof device, "/dev/", found->device, "");
    if (!type[0])
        GIVE_UP("mount the root device ", device, ": no file system that is known is on it");
    const int status = mount_at(device, ROOT, type, flags, data);
    if (status == 0)
        return;
    write_number(-status, number);
    GIVE_UP("mount the root device ", device, " (", type, "): error ", number);
}

// systemd-fsck-root.service checks a root that is mounted read-only unless this file says that it is done.
static void note_clean_root(const struct wishes* wishes, const struct found* found) {
    if (!found->volume.clean || wishes->check_always)
        return;
    CALL3(SYS_mkdirat, AT_FDCWD, "/run/initramfs", 0755);
    make_file("/run/initramfs/fsck-root");
}

static void move_into_root(const char* directory, const char* target) {
    if (mount_at(directory, target, NULL, MS_MOVE, NULL) != 0)
        CALL2(SYS_umount2, directory, kDetach);  // the guest's init mounts its own
}

static void start_init(const struct wishes* wishes, const struct start* start) {
    const long initramfs = CALL4(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    move_into_root("/dev", ROOT "/dev");
    move_into_root("/proc", ROOT "/proc");
    move_into_root("/sys", ROOT "/sys");
    move_into_root("/run", ROOT "/run");
    CALL1(SYS_chdir, ROOT);
    remove_below((int)initramfs);  // it would hold its memory as long as the guest runs
    if (mount_at(".", "/", NULL, MS_MOVE, NULL) != 0 || CALL1(SYS_chroot, ".") != 0 || CALL1(SYS_chdir, "/") != 0)
        GIVE_UP("make the root device the root directory");
    start->argv[0] = (char*)wishes->init;
    const long status = CALL3(SYS_execve, wishes->init, start->argv, start->environment);
    char number[24];
    write_number(-status, number);
    GIVE_UP("start ", wishes->init, " of the root device: error ", number);
}

_Noreturn __attribute__((used)) void begin(long* stack) {
    static char cmdline[4096];
    static struct wishes wishes;
    static struct found found;
    struct start start = {(int)stack[0], (char**)(stack + 1), NULL};
    start.environment = start.argv + start.argc + 1;
    mount_api_filesystems();
    read_text("/proc/cmdline", cmdline, sizeof cmdline);
    read_wishes(cmdline, &wishes);
    if (!wishes.root[0])
        GIVE_UP("find the root device: the kernel's command line has no root=");
    wait_for_root(&wishes, &found);
    mount_root(&wishes, &found);
    note_clean_root(&wishes, &found);
    start_init(&wishes, &start);
    leave(1);
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
