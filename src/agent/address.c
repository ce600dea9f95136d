// An address that the host gives, in the configuration of the guest: what is said of the card's addresses there goes.
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

const char* const of_udev[] = {".link", ".network", NULL};
const char* const of_networkd[] = {".network", NULL};
const char* const of_netplan[] = {".yaml", NULL};
const char* const of_ifupdown[] = {"interfaces", NULL};
static const char* const of_any[] = {"", NULL};

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

// The same for systemd.network(5): [Network] says it, and [Route] sections go, whose routers are of the old address.
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
        if (strcmp(line, "[Route]") == 0 && to->is_of_card)
            return left_out;
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
    if (strcmp(to->section, "[Route]") == 0)
        return left_out;
    const int is_network = strcmp(to->section, "[Network]") == 0;
    if (is_network && strncmp(line, "Address=", 8) == 0) {
        snprintf(to->old, sizeof to->old, "%.*s", (int)strcspn(line + 8, "/"), line + 8);
        return left_out;
    }
    if (is_network && (strncmp(line, "DHCP=", 5) == 0 || strncmp(line, "Gateway=", 8) == 0))
        return left_out;
    return NULL;
}

static int change_ifupdown(struct stanza* stanza) {
    if (change_lines_of("/etc/network", of_ifupdown, with_stanza, stanza) != 0)
        return -1;
    stanza->within = 0;
    return change_lines_of("/etc/network/interfaces.d", of_any, with_stanza, stanza);
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
    const char* gateway = value_of(request, "gateway");
    const char* place = mac ? place_of_card(mac) : NULL;
    if (!place || !address)
        return fail(answer, "cannot set an address: which one of which card is not said");
    struct link_name link = {place, 0, ""};
    change_lines_of("/run/systemd/network", of_udev, find_name, &link);  // netplan's
    change_lines_of("/etc/systemd/network", of_udev, find_name, &link);
    const char* card = *link.name ? link.name : "eth0";
    struct stanza stanza = {card, address, gateway, strchr(address, ':') ? "inet6" : "inet", "", 0, 0};
    if (change_ifupdown(&stanza) != 0)
        return fail_errno(answer, "write /etc/network/interfaces");
    if (stanza.is_written) {
        replace_in_hosts(stanza.old, address);
        return 0;
    }
    const int is_netplan = write_netplan(card, address, gateway);
    if (is_netplan < 0)
        return fail_errno(answer, "write to /etc/netplan");
    struct network_file file = {card, place, address, gateway, "", "", 0, 0};
    // What netplan has made of its own at this boot is changed too: to have it made anew takes a second.
    if (change_lines_of(is_netplan ? "/run/systemd/network" : "/etc/systemd/network", of_networkd, with_address,
                        &file) != 0)
        return fail_errno(answer, "write to systemd/network");
    if (!file.is_written)
        return fail(answer,
                    "cannot set the address of %s: neither /etc/network/interfaces nor netplan nor systemd-networkd "
                    "knows it",
                    card);
    replace_in_hosts(file.old, address);
    return 0;
}
