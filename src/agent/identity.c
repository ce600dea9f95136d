// What makes a machine this one: names, numbers, keys, clock and random numbers.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define HOST_KEY "/etc/ssh/ssh_host_%s_key%s"
#define RANDOM_SEED "/var/lib/systemd/random-seed"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static const char* const kKeyTypes[] = {"rsa", "ecdsa", "ed25519", "dsa"};
enum { kKeyTypeCount = sizeof kKeyTypes / sizeof *kKeyTypes };

static int is_there(const char* path) {
    char* whole = path_of(path);
    const int found = whole && access(whole, F_OK) == 0;
    free(whole);
    return found;
}

static void remove_file(const char* path) {
    char* whole = path_of(path);
    if (whole)
        unlink(whole);
    free(whole);
}

static void remove_files_below(const char* directory) {
    char* whole = path_of(directory);
    DIR* open = whole ? opendir(whole) : NULL;
    for (const struct dirent* entry; open && (entry = readdir(open));)
        unlinkat(dirfd(open), entry->d_name, 0);  // directories stay
    if (open)
        closedir(open);
    free(whole);
}

void identify(struct answer* answer) {
    char name[256] = "", types[64] = "";
    gethostname(name, sizeof name - 1);
    for (size_t i = 0; i < kKeyTypeCount; ++i) {
        char path[128];
        snprintf(path, sizeof path, HOST_KEY, kKeyTypes[i], "");
        if (!is_there(path))
            continue;
        if (*types)
            strcat(types, ",");
        strcat(types, kKeyTypes[i]);
    }
    add_value(answer, "version", "1");
    add_value(answer, "hostname", name);
    add_value(answer, "host-keys", types);
}

void prepare_identity(void) {
    static const char* const kLeases[] = {"/var/lib/dhcp", "/var/lib/dhcpcd", "/var/lib/dhcpcd5",
                                          "/var/lib/systemd/network", "/run/systemd/netif/leases"};
    for (size_t i = 0; i < sizeof kLeases / sizeof *kLeases; ++i) remove_files_below(kLeases[i]);
    remove_file(RANDOM_SEED);
    remove_file("/var/lib/urandom/random-seed");
    for (size_t i = 0; i < kKeyTypeCount; ++i) {
        char path[128];
        snprintf(path, sizeof path, HOST_KEY, kKeyTypes[i], "");
        remove_file(path);
        snprintf(path, sizeof path, HOST_KEY, kKeyTypes[i], ".pub");
        remove_file(path);
    }
    signal_server(SIGSTOP);  // it knows them still
}

// A clone has the kernel's random numbers of its template until it gets others.
static int add_entropy(const char* hex) {
    if (is_trial())
        return 0;
    enum { kMost = 512 };
    struct {
        struct rand_pool_info head;
        unsigned char bytes[kMost];
    } pool;  // head ends in an array of no size: these are its bytes
    int size = 0;
    for (unsigned byte; size < kMost && sscanf(hex + 2 * (size_t)size, "%2x", &byte) == 1;) {
        pool.bytes[size++] = (unsigned char)byte;
        if (!hex[2 * (size_t)size - 1] || !hex[2 * (size_t)size])
            break;
    }
    pool.head.entropy_count = size * 8;
    pool.head.buf_size = size;
    const int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    const int failed = fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) != 0 || ioctl(fd, RNDRESEEDCRNG) != 0;
    if (fd >= 0)
        close(fd);
    return failed ? -1 : 0;
}

static int set_clock(const char* text) {
    struct timespec now = {0};
    char* end = NULL;
    now.tv_sec = (time_t)strtoll(text, &end, 10);
    if (*end == '.')
        now.tv_nsec = strtol(end + 1, NULL, 10);
    return is_trial() ? 0 : clock_settime(CLOCK_REALTIME, &now);
}

static int replace_name_in(const char* path, const char* old, const char* fresh) {
    char* text = read_text(path);
    char* other = text && *old ? with_word_replaced(text, old, fresh) : NULL;
    const int failed = other && write_text(path, other, 0644) != 0;
    free(text);
    free(other);
    return failed ? -1 : 0;
}

static int set_name(const char* name, struct answer* answer) {
    char line[260], first[256];
    char* old = read_text("/etc/hostname");
    if (old)
        old[strcspn(old, "\n")] = '\0';
    snprintf(first, sizeof first, "%s", name);
    first[strcspn(first, ".")] = '\0';
    snprintf(line, sizeof line, "%s\n", first);
    if (!is_trial() && sethostname(first, strlen(first)) != 0)
        return free(old), fail_errno(answer, "set the host's name");
    if (write_text("/etc/hostname", line, 0644) != 0)
        return free(old), fail_errno(answer, "write /etc/hostname");
    if (old && strcmp(old, "localhost") == 0)  // every machine's, besides
        *old = '\0';
    if (old && replace_name_in("/etc/hosts", old, first) != 0)
        return free(old), fail_errno(answer, "write /etc/hosts");
    if (old)
        replace_name_in("/etc/mailname", old, first);
    free(old);
    return 0;
}

static int set_machine_id(const char* id, struct answer* answer) {
    char line[64];
    snprintf(line, sizeof line, "%s\n", id);
    if (write_text("/etc/machine-id", line, 0444) != 0)
        return fail_errno(answer, "write /etc/machine-id");
    char* copy = path_of("/var/lib/dbus/machine-id");
    struct stat status;
    if (copy && lstat(copy, &status) == 0 && S_ISREG(status.st_mode))
        write_text("/var/lib/dbus/machine-id", line, 0644);
    free(copy);
    return 0;
}

// The kernel makes one, once. A container is given another in the same way: systemd-nspawn(1).
static int set_boot_id(const char* id, struct answer* answer) {
    if (is_trial())
        return 0;
    char line[64];
    snprintf(line, sizeof line, "%s\n", id);
    mkdir("/run/vprov", 0755);
    if (write_text("/run/vprov/boot_id", line, 0444) != 0)
        return fail_errno(answer, "write the boot's id");
    if (mount("/run/vprov/boot_id", BOOT_ID, NULL, MS_BIND, NULL) != 0)
        return fail_errno(answer, "put the boot's id in its place");
    return 0;
}

static int set_host_keys(const struct request* request, struct answer* answer) {
    for (size_t i = 0; i < kKeyTypeCount; ++i) {
        char key[32], path[128];
        for (int is_public = 0; is_public < 2; ++is_public) {
            snprintf(key, sizeof key, "key.%s%s", kKeyTypes[i], is_public ? ".pub" : "");
            snprintf(path, sizeof path, HOST_KEY, kKeyTypes[i], is_public ? ".pub" : "");
            const char* text = value_of(request, key);
            if (text && write_text(path, text, is_public ? 0644 : 0600) != 0)
                return fail_errno(answer, "write the SSH host keys");
        }
    }
    return 0;
}

static void write_random_seed(void) {
    unsigned char seed[512];
    if (is_trial() || !is_there("/var/lib/systemd") || getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return;
    const int fd = open(RANDOM_SEED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, seed, sizeof seed) != (ssize_t)sizeof seed)
        unlink(RANDOM_SEED);
    if (fd >= 0)
        close(fd);
}

int set_identity(const struct request* request, struct answer* answer) {
    const char* value;
    if ((value = value_of(request, "entropy")) && add_entropy(value) != 0)
        return fail_errno(answer, "add random numbers");
    if ((value = value_of(request, "time")) && set_clock(value) != 0)
        return fail_errno(answer, "set the clock");
    if ((value = value_of(request, "machine-id")) && set_machine_id(value, answer) != 0)
        return -1;
    if ((value = value_of(request, "boot-id")) && set_boot_id(value, answer) != 0)
        return -1;
    if ((value = value_of(request, "hostname")) && set_name(value, answer) != 0)
        return -1;
    if (set_host_keys(request, answer) != 0)
        return -1;
    if (value_of(request, "entropy"))
        write_random_seed();
    return 0;
}

void settle(void) {
    signal_server(SIGHUP);  // it reads its keys again
    signal_server(SIGCONT);
    settle_cards();
    signal_all("agetty", SIGTERM);  // a prompt with the template's name; one that somebody types at is called login
    // it keeps its files by the machine's id, and knows the one that it began with
    RUN("systemctl", "--no-block", "try-restart", "systemd-journald.service");
}
