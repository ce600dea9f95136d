// sandbox_probe QUESTION...: runs in a sandbox that has nothing else, and prints a line for each question. Static.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char* result(int value) {
    return value >= 0 ? "ok" : strerrorname_np(errno);
}

static void devices() {
    static const char* const kNames[] = {"null", "zero",    "full", "random", "urandom",
                                         "ptmx", "console", "kmsg", "made"};
    mknod("/dev/made", S_IFBLK | 0600, makedev(7, 0));
    for (unsigned i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", kNames[i]);
        printf("%s%s %s", i ? ", " : "", kNames[i], result(open(path, O_RDWR | O_NOCTTY)));
    }
    unlink("/dev/made");
}

static void network() {
    struct if_nameindex* all = if_nameindex();
    for (struct if_nameindex* one = all; one && one->if_index; ++one)
        printf("%s%s", one == all ? "" : " ", one->if_name);
}

static void write_setting() {
    printf("%s", result(open("/proc/sys/kernel/core_pattern", O_WRONLY)));
}

// Bits of the bounding set.
static void capabilities() {
    unsigned long long set = 0;
    for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; ++i)
        if (prctl(PR_CAPBSET_READ, i) == 1)
            set |= 1ULL << i;
    printf("%llx", set);
}

static void processes() {
    int count = 0, self = 0;
    DIR* proc = opendir("/proc");
    for (struct dirent* entry; proc && (entry = readdir(proc));) {
        count += atoi(entry->d_name) > 0;
        self |= atoi(entry->d_name) == getpid();
    }
    printf("%s", self && count < 10 ? "few" : "others");
}

// Something that outlives its parent, and writes as long as it lives.
static void daemonise() {
    fflush(stdout);
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;) {
                int file = open("/alive", O_WRONLY | O_CREAT | O_APPEND, 0644);
                if (write(file, ".", 1) != 1)
                    _exit(1);
                close(file);
                usleep(1000);
            }
        _exit(0);
    }
    while (access("/alive", F_OK) != 0) usleep(1000);
}

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "devices") == 0)
            devices();
        else if (strcmp(argv[i], "network") == 0)
            network();
        else if (strcmp(argv[i], "setting") == 0)
            write_setting();
        else if (strcmp(argv[i], "capabilities") == 0)
            capabilities();
        else if (strcmp(argv[i], "processes") == 0)
            processes();
        else if (strcmp(argv[i], "mount") == 0)
            printf("%s", result(mount("none", "/run", "tmpfs", 0, NULL)));
        else if (strcmp(argv[i], "sync") == 0)
            printf("%s %s", result(fsync(-1)), result(syncfs(-1)));
        else if (strcmp(argv[i], "groups") == 0)
            printf("%d", getgroups(0, NULL));
        else if (strcmp(argv[i], "daemon") == 0)
            daemonise();
        else if (strcmp(argv[i], "resolver") == 0)
            printf("%s", result(open("/etc/resolv.conf", O_RDONLY)));
        printf("\n");
    }
    return 0;
}
