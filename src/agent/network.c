// The cards of a template are not in it: a clone gets others, under the same names.
//
// While the template is made, what knows a card by its MAC address is made to know it by its place, so that udev and
// systemd-networkd need not read their configuration again in each clone. At the end the clone's own address stands
// there: the card is known wherever it is plugged in later.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

enum { kMostCards = 16, kWaitSeconds = 30 };

struct card {
    char mac[18];  // of the template, then of the clone
    char place[96];
};
static struct card cards[kMostCards];
static size_t card_count;
static int stopped_networkd;

// The kernel's words on its console, which take longer than what they tell of: while a card is plugged in, none.
#define PRINTK "/proc/sys/kernel/printk"
static char* console_level;

static void silence_console(void) {
    free(console_level);
    console_level = read_text(PRINTK);
    if (console_level)
        set_value(PRINTK, "1");
}

static void restore_console(void) {
    if (console_level)
        set_value(PRINTK, console_level);
    free(console_level);
    console_level = NULL;
}

static const struct card* card_of(const char* mac) {
    for (size_t i = 0; i < card_count; ++i)
        if (strcasecmp(cards[i].mac, mac) == 0)
            return &cards[i];
    return NULL;
}

static char* line_of(const char* key, const char* value) {
    char* line = NULL;
    return asprintf(&line, "%s=%s", key, value) < 0 ? NULL : line;
}

static char* by_place(const char* line, void* context) {
    (void)context;
    const char* equals = strchr(line, '=');
    const struct card* card = equals ? card_of(equals + 1) : NULL;
    const int is_mac = strncmp(line, "MACAddress=", 11) == 0 || strncmp(line, "PermanentMACAddress=", 20) == 0;
    return card && is_mac ? line_of("Path", card->place) : NULL;
}

static char* by_mac(const char* line, void* context) {
    (void)context;
    for (size_t i = 0; i < card_count && strncmp(line, "Path=", 5) == 0; ++i)
        if (strcmp(line + 5, cards[i].place) == 0)
            return line_of("MACAddress", cards[i].mac);
    return NULL;
}

// The same address in lower and upper case.
struct renaming {
    const char *old, *fresh;
};
static char* renamed(const char* line, void* context) {
    const struct renaming* names = context;
    const char* found = strcasestr(line, names->old);
    char* other = NULL;
    if (!found || asprintf(&other, "%.*s%s%s", (int)(found - line), line, names->fresh, found + strlen(names->old)) < 0)
        return NULL;
    return other;
}

static int unit_is_active(const char* unit) {
    return RUN("systemctl", "--quiet", "is-active", unit) == 0;
}

int prepare_cards(const struct request* request, struct answer* answer) {
    card_count = 0;
    for (size_t i = 0; i < request->count && card_count < kMostCards; ++i) {
        char* parts[2];
        if (strncmp(request->pairs[i].key, "card.", 5) != 0)
            continue;
        if (split_value(request->pairs[i].value, parts, 2) != 2)
            return fail(answer, "cannot read the place of a card");
        struct card* card = &cards[card_count++];
        const unsigned slot = (unsigned)atoi(parts[1]) & 31U;
        snprintf(card->mac, sizeof card->mac, "%s", parts[0]);
        // as systemd before and since 240 calls it
        snprintf(card->place, sizeof card->place, "pci-0000:00:%02x.0 virtio-pci-0000:00:%02x.0", slot, slot);
    }
    if (change_lines_of("/etc/systemd/network", of_udev, by_place, NULL) != 0 ||
        change_lines_of("/run/systemd/network", of_udev, by_place, NULL) != 0)
        return fail_errno(answer, "write to systemd/network");
    // a client of DHCP is known by the machine's id
    if (unit_is_active("systemd-networkd.service")) {
        RUN("systemctl", "stop", "systemd-networkd.socket", "systemd-networkd.service");
        stopped_networkd = 1;
    }
    RUN("udevadm", "control", "--reload");
    // One worker, which is there and goes on in each clone, is faster than several that begin there.
    RUN("udevadm", "control", "--children-max=1");
    RUN("udevadm", "settle", "--timeout=60");
    RUN("udevadm", "trigger", "--action=add", "--settle", "/sys/class/net/lo");
    silence_console();
    signal_all("systemd-udevd", SIGSTOP);  // what follows a new card comes when the machine is another
    return 0;
}

int set_cards(const struct request* request, struct answer* answer) {
    for (size_t i = 0; i < request->count; ++i) {
        char* parts[2];
        if (strncmp(request->pairs[i].key, "card.", 5) != 0)
            continue;
        if (split_value(request->pairs[i].value, parts, 2) != 2)
            return fail(answer, "cannot read the address of a card");
        struct renaming names = {parts[0], parts[1]};
        if (change_lines_of("/etc/netplan", of_netplan, renamed, &names) != 0 ||
            change_lines_of("/etc/network", of_ifupdown, renamed, &names) != 0)
            return fail_errno(answer, "write the network's configuration");
        struct card* card = (struct card*)card_of(parts[0]);
        if (card)
            snprintf(card->mac, sizeof card->mac, "%s", parts[1]);
    }
    return 0;
}

void settle_cards(void) {
    restore_console();
    RUN("udevadm", "control", "--children-max=0");  // as many as it chooses
    change_lines_of("/etc/systemd/network", of_udev, by_mac, NULL);
}

const char* place_of_card(const char* mac) {
    const struct card* card = card_of(mac);
    return card ? card->place : NULL;
}

int start_network(struct answer* answer) {
    signal_all("systemd-udevd", SIGCONT);
    if (stopped_networkd && RUN("systemctl", "start", "systemd-networkd.socket", "systemd-networkd.service") != 0)
        return fail(answer, "cannot start systemd-networkd");
    stopped_networkd = 0;
    return 0;
}

static void wait_a_little(void) {
    const struct timespec step = {0, 20000000};
    nanosleep(&step, NULL);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// udev's record of the card says that it will be renamed (systemd 250 and later), and then what it is called.
static int has_its_name(const char* record, const char* name) {
    char line[64];
    snprintf(line, sizeof line, "\nE:ID_NET_NAME=%s\n", name);
    return !strstr(record, "E:ID_RENAMING=1\n") || strstr(record, line) != NULL;
}

static int is_ready(unsigned index, const char* mac, char name[IF_NAMESIZE]) {
    char path[96];
    snprintf(path, sizeof path, "/run/udev/data/n%u", index);
    char* record = read_text(path);
    if (!record || !if_indextoname(index, name))
        return free(record), 0;
    snprintf(path, sizeof path, "/sys/class/net/%s/address", name);
    char* address = read_text(path);
    const int ready = address && strncasecmp(address, mac, strlen(mac)) == 0 && has_its_name(record, name);
    free(address);
    free(record);
    return ready;
}

static int find_card(const char* mac, char name[IF_NAMESIZE]) {
    struct if_nameindex* all = if_nameindex();
    int found = 0;
    for (const struct if_nameindex* one = all; all && one->if_index != 0 && !found; ++one)
        found = is_ready(one->if_index, mac, name);
    if_freenameindex(all);
    return found;
}

int wait_for_card(const struct request* request, struct answer* answer) {
    const char* mac = value_of(request, "mac");
    char name[IF_NAMESIZE] = "";
    if (!mac)
        return fail(answer, "cannot wait for a card: which one is not said");
    for (const double end = seconds_now() + kWaitSeconds; !find_card(mac, name); wait_a_little())
        if (seconds_now() > end)
            return fail(answer, "the network card %s did not appear within %d s", mac, kWaitSeconds);
    add_value(answer, "name", name);
    return 0;
}

static int global_address(const char* card, char text[64]) {
    struct ifaddrs* all = NULL;
    int found = 0;
    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs* one = all; one && !found; one = one->ifa_next) {
        if (!one->ifa_addr || !one->ifa_netmask || strcmp(one->ifa_name, card) != 0)
            continue;
        char address[INET6_ADDRSTRLEN] = "";
        int prefix = 0;
        if (one->ifa_addr->sa_family == AF_INET) {
            inet_ntop(AF_INET, &((const struct sockaddr_in*)one->ifa_addr)->sin_addr, address, sizeof address);
            prefix = __builtin_popcount(((const struct sockaddr_in*)one->ifa_netmask)->sin_addr.s_addr);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            const struct in6_addr* own = &((const struct sockaddr_in6*)one->ifa_addr)->sin6_addr;
            const struct in6_addr* mask = &((const struct sockaddr_in6*)one->ifa_netmask)->sin6_addr;
            if (!IN6_IS_ADDR_LINKLOCAL(own))
                inet_ntop(AF_INET6, own, address, sizeof address);
            for (size_t i = 0; i < 16; ++i) prefix += __builtin_popcount(mask->s6_addr[i]);
        }
        found = *address && strncmp(address, "169.254.", 8) != 0;
        if (found)
            snprintf(text, 64, "%s/%d", address, prefix);
    }
    freeifaddrs(all);
    return found;
}

int wait_for_network(const struct request* request, struct answer* answer) {
    const char* card = value_of(request, "card");
    char text[64];
    if (!card)
        return fail(answer, "cannot wait for the network: of which card is not said");
    for (const double end = seconds_now() + kWaitSeconds; !global_address(card, text); wait_a_little())
        if (seconds_now() > end)
            return fail(answer, "%s had no address within %d s", card, kWaitSeconds);
    add_value(answer, "address", text);
    return 0;
}
