// netplan(5), as far as it says what addresses a card has: in block style, the card by its name as the key of a
// mapping.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

struct block {
    const char *card, *address, *gateway;
    int indent;  // of the card's key; -1: it is of another card
    int indent_of_keys;
    int is_left_out;  // the key that is read, and what is below it
    int is_written;
};

static const char* const kReplaced[] = {
    "addresses", "dhcp4", "dhcp6", "dhcp4-overrides", "dhcp6-overrides", "gateway4", "gateway6", "routes", NULL};

static int is_replaced(const char* key) {
    const size_t size = strcspn(key, ":");
    for (size_t i = 0; kReplaced[i]; ++i)
        if (strlen(kReplaced[i]) == size && strncmp(kReplaced[i], key, size) == 0)
            return 1;
    return 0;
}

static int is_key_of(const char* card, const char* text) {
    const size_t size = strlen(card);
    return strncmp(text, card, size) == 0 && text[size] == ':' &&
           strspn(text + size + 1, " ") == strlen(text + size + 1);
}

// Before the first of the card's own lines, with that one if it stays.
static char* settings(const struct block* to, const char* first) {
    char *text = NULL, *route = NULL;
    const int indent = to->indent_of_keys;
    const char* everywhere = strchr(to->address, ':') ? "::/0" : "0.0.0.0/0";
    if (to->gateway && asprintf(&route, "\n%*sroutes:\n%*s  - to: \"%s\"\n%*s    via: \"%s\"\n%*s    on-link: true",
                                indent, "", indent, "", everywhere, indent, "", to->gateway, indent, "") < 0)
        return NULL;
    if (asprintf(&text, "%*saddresses:\n%*s  - \"%s\"%s%s%s", indent, "", indent, "", to->address, route ? route : "",
                 first ? "\n" : "", first ? first : "") < 0)
        text = NULL;
    free(route);
    return text;
}

static char* with_block(const char* line, void* context) {
    struct block* to = context;
    const int indent = (int)strspn(line, " ");
    const char* text = line + indent;
    if (!*text || *text == '#')
        return NULL;
    if (to->indent >= 0 && indent <= to->indent)
        to->indent = -1;
    if (to->indent < 0) {
        if (is_key_of(to->card, text)) {
            to->indent = indent;
            to->indent_of_keys = -1;
        }
        return NULL;
    }
    const int is_first = to->indent_of_keys < 0;
    if (is_first)
        to->indent_of_keys = indent;
    if (indent == to->indent_of_keys && *text != '-')  // which may stand below its key
        to->is_left_out = is_replaced(text);
    to->is_written |= is_first;
    if (is_first)
        return settings(to, to->is_left_out ? NULL : line);
    return to->is_left_out ? left_out : NULL;
}

int write_netplan(const char* card, const char* address, const char* gateway) {
    struct block block = {card, address, gateway, -1, -1, 0, 0};
    return change_lines_of("/etc/netplan", of_netplan, with_block, &block) != 0 ? -1 : block.is_written;
}
