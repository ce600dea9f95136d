// The cards of a template are not in it: a clone gets others, under the same names.
//
// While the template is made, what knows a card by its MAC address is made to know it by its place, so that udev and
// systemd-networkd need not read their configuration again in each clone. At the end the clone's own address stands
// there: the card is known wherever it is plugged in later.
#include <arpa/inet.h>
#include <errno.h>
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

static const char* const kUdevFiles[] = {".link", ".network", NULL};
static const char* const kNetplanFiles[] = {".yaml", NULL};
static const char* const kIfupdownFiles[] = {"interfaces", NULL};
static const char* const kAnyFile[] = {"", NULL};

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
    if (change_lines_of("/etc/systemd/network", kUdevFiles, by_place, NULL) != 0 ||
        change_lines_of("/run/systemd/network", kUdevFiles, by_place, NULL) != 0)
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
        if (change_lines_of("/etc/netplan", kNetplanFiles, renamed, &names) != 0 ||
            change_lines_of("/etc/network", kIfupdownFiles, renamed, &names) != 0)
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
    change_lines_of("/etc/systemd/network", kUdevFiles, by_mac, NULL);
}

// A static address in the words of ifupdown, interfaces(5): in the place of the stanzas of the card's family.
struct stanza {
    const char *card, *address, *gateway;
    const char* family;
    char old[64];  // the address that was there
    int within, is_written;
};

static char* static_stanza(const struct stanza* to) {
    char* text = NULL;
    const int size = to->gateway
                         ? asprintf(&text, "iface %s %s static\n\taddress %s\n\tgateway %s", to->card, to->family,
                                    to->address, to->gateway)
                         : asprintf(&text, "iface %s %s static\n\taddress %s", to->card, to->family, to->address);
    return size < 0 ? NULL : text;
}

static int is_option_of_address(const char* word) {
    static const char* const kOptions[] = {"address", "netmask",  "gateway", "broadcast",  "pointopoint",
                                           "network", "hostname", "client",  "leasehours", NULL};
    for (size_t i = 0; kOptions[i]; ++i)
        if (strcmp(kOptions[i], word) == 0)
            return 1;
    return 0;
}

static char* with_stanza(const char* line, void* context) {
    struct stanza* to = context;
    char word[32] = "", card[32] = "", family[16] = "", value[64] = "";
    const int count = sscanf(line, "%31s %31s %15s", word, card, family);
    if (count < 1 || word[0] == '#')
        return NULL;
    if (strcmp(word, "iface") == 0) {
        to->within = count == 3 && strcmp(card, to->card) == 0 && strcmp(family, to->family) == 0;
        if (!to->within || to->is_written)
            return NULL;
        to->is_written = 1;
        return static_stanza(to);
    }
    if (line[0] != ' ' && line[0] != '\t')
        to->within = 0;
    if (!to->within || !is_option_of_address(word))
        return NULL;
    if (strcmp(word, "address") == 0 && sscanf(line, "%*s %63s", value) == 1) {
        value[strcspn(value, "/")] = '\0';
        strcpy(to->old, value);
    }
    return left_out;
}

// The same for systemd.network(5): [Network] says it, and [Route] sections with a gateway go.
struct network_file {
    const char *card, *place, *address, *gateway;
    char section[32];
    char old[64];
    int is_of_card;  // the file that is read
    int is_written;
};

static char* with_address(const char* line, void* context) {
    struct network_file* to = context;
    if (line[0] == '[') {
        snprintf(to->section, sizeof to->section, "%s", line);
        char* text = NULL;
        if (strcmp(line, "[Match]") == 0)  // another file begins
            to->is_of_card = 0;
        to->is_written |= strcmp(line, "[Network]") == 0 && to->is_of_card;
        if (strcmp(line, "[Network]") == 0 && to->is_of_card)
            return asprintf(&text, "[Network]\nAddress=%s%s%s", to->address, to->gateway ? "\nGateway=" : "",
                            to->gateway ? to->gateway : "") < 0
                       ? NULL
                       : text;
        return NULL;
    }
    if (strcmp(to->section, "[Match]") == 0) {
        to->is_of_card |= (strncmp(line, "Name=", 5) == 0 && strcmp(line + 5, to->card) == 0) ||
                          (strncmp(line, "Path=", 5) == 0 && strcmp(line + 5, to->place) == 0);
    }
    if (!to->is_of_card)
        return NULL;
    const int is_network = strcmp(to->section, "[Network]") == 0, is_route = strcmp(to->section, "[Route]") == 0;
    if (is_network && strncmp(line, "Address=", 8) == 0) {
        snprintf(to->old, sizeof to->old, "%.*s", (int)strcspn(line + 8, "/"), line + 8);
        return left_out;
    }
    if ((is_network && (strncmp(line, "DHCP=", 5) == 0 || strncmp(line, "Gateway=", 8) == 0)) ||
        (is_route && (strncmp(line, "Gateway=", 8) == 0 || strncmp(line, "GatewayOnLink=", 14) == 0)))
        return left_out;
    return NULL;
}

static int change_ifupdown(struct stanza* stanza) {
    if (change_lines_of("/etc/network", kIfupdownFiles, with_stanza, stanza) != 0)
        return -1;
    stanza->within = 0;
    return change_lines_of("/etc/network/interfaces.d", kAnyFile, with_stanza, stanza);
}

static void replace_in_hosts(const char* old, const char* address) {
    char fresh[64];
    snprintf(fresh, sizeof fresh, "%.*s", (int)strcspn(address, "/"), address);
    char* text = *old ? read_text("/etc/hosts") : NULL;
    char* other = text ? with_word_replaced(text, old, fresh) : NULL;
    if (other)
        write_text("/etc/hosts", other, 0644);
    free(text);
    free(other);
}

// The name that a .link file gives to the card in this place.
struct link_name {
    const char* place;
    int is_of_card;
    char name[IF_NAMESIZE];
};

static char* find_name(const char* line, void* context) {
    struct link_name* found = context;
    if (strcmp(line, "[Match]") == 0)
        found->is_of_card = 0;
    else if (strncmp(line, "Path=", 5) == 0)
        found->is_of_card = strcmp(line + 5, found->place) == 0;
    else if (found->is_of_card && strncmp(line, "Name=", 5) == 0)
        snprintf(found->name, sizeof found->name, "%s", line + 5);
    return NULL;
}

int set_address(const struct request* request, struct answer* answer) {
    const char *mac = value_of(request, "mac"), *address = value_of(request, "address");
    const struct card* place = mac ? card_of(mac) : NULL;
    if (!place || !address)
        return fail(answer, "cannot set an address: which one of which card is not said");
    struct link_name link = {place->place, 0, ""};
    change_lines_of("/etc/systemd/network", kUdevFiles, find_name, &link);
    const char* card = *link.name ? link.name : "eth0";
    struct stanza stanza = {card, address, value_of(request, "gateway"), strchr(address, ':') ? "inet6" : "inet", "",
                            0,    0};
    if (change_ifupdown(&stanza) != 0)
        return fail_errno(answer, "write /etc/network/interfaces");
    if (stanza.is_written) {
        replace_in_hosts(stanza.old, address);
        return 0;
    }
    struct network_file file = {card, place->place, address, stanza.gateway, "", "", 0, 0};
    if (change_lines_of("/etc/systemd/network", kUdevFiles + 1, with_address, &file) != 0)
        return fail_errno(answer, "write to /etc/systemd/network");
    if (!file.is_written)
        return fail(answer,
                    "cannot set the address of %s: neither /etc/network/interfaces nor systemd-networkd knows it",
                    card);
    replace_in_hosts(file.old, address);
    return 0;
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
