#include <linux/mount.h>

#include "init.h"

void copy_text(char* to, size_t capacity, const char* from, size_t size) {
    size_t i = 0;
    for (; i < size && i + 1 < capacity && from[i]; ++i) to[i] = from[i];
    to[i] = '\0';
}

const char* without(const char* text, const char* prefix) {
    for (; *prefix; ++text, ++prefix)
        if (*text != *prefix)
            return NULL;
    return text;
}

int starts_with(const char* text, const char* prefix) {
    return without(text, prefix) != NULL;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int same_without_case(const char* a, const char* b) {
    while (*a && lower(*a) == lower(*b)) ++a, ++b;
    return *a == *b;
}

long number_in(const char* digits) {
    long value = 0;
    for (; *digits >= '0' && *digits <= '9' && value < 1000000; ++digits) value = 10 * value + (*digits - '0');
    return value;
}

void write_hex(unsigned long value, unsigned digits, char* text) {
    for (unsigned i = digits; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    text[digits] = '\0';
}

void write_uuid(const unsigned char* bytes, int mixed, char text[kUuidSize]) {
    static const unsigned char kMixed[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    char* at = text;
    for (unsigned i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        write_hex(bytes[mixed ? kMixed[i] : i], 2, at);
        at += 2;
    }
}

static void take_word(const char* word, struct wishes* wishes) {
    const char* value;
    if ((value = without(word, "root=")))
        copy_text(wishes->root, sizeof wishes->root, value, kWordSize);
    else if ((value = without(word, "rootfstype=")))
        copy_text(wishes->filesystem, sizeof wishes->filesystem, value, kWordSize);
    else if ((value = without(word, "rootflags=")))
        copy_text(wishes->options, sizeof wishes->options, value, kWordSize);
    else if ((value = without(word, "init=")))
        copy_text(wishes->init, sizeof wishes->init, value, kWordSize);
    else if ((value = without(word, "rootdelay=")))
        wishes->seconds = number_in(value) > wishes->seconds ? number_in(value) : wishes->seconds;
    else if (same(word, "ro") || same(word, "rw"))
        wishes->writable = same(word, "rw");
    else if (same(word, "fsck.mode=force") || same(word, "forcefsck"))
        wishes->check_always = 1;
}

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

void read_wishes(const char* cmdline, struct wishes* wishes) {
    enum { kPatience = 30 };  // seconds; that of initramfs-tools
    *wishes = (struct wishes){.init = "/sbin/init", .seconds = kPatience};
    while (*cmdline) {
        char word[2 * kWordSize];
        size_t size = 0;
        int quoted = 0;
        while (is_blank(*cmdline)) ++cmdline;
        for (; *cmdline && (quoted || !is_blank(*cmdline)); ++cmdline) {
            if (*cmdline == '"')
                quoted = !quoted;
            else if (size + 1 < sizeof word)
                word[size++] = *cmdline;
        }
        word[size] = '\0';
        if (same(word, "--"))
            return;  // the rest is for init
        take_word(word, wishes);
    }
}

static const struct {
    const char* name;
    unsigned long flag;
} kFlags[] = {
    {"ro", 0},
    {"rw", 0},
    {"defaults", 0},
    {"nosuid", MS_NOSUID},
    {"nodev", MS_NODEV},
    {"noexec", MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC},
    {"noatime", MS_NOATIME},
    {"nodiratime", MS_NODIRATIME},
    {"relatime", MS_RELATIME},
    {"strictatime", MS_STRICTATIME},
    {"lazytime", MS_LAZYTIME},
};

unsigned long mount_flags(const char* options, char* data, size_t capacity) {
    unsigned long flags = 0;
    size_t used = 0;
    data[0] = '\0';
    while (*options) {
        size_t size = 0;
        while (options[size] && options[size] != ',') ++size;
        char option[kWordSize];
        copy_text(option, sizeof option, options, size);
        options += size + (options[size] == ',');
        int is_flag = size == 0;
        for (size_t i = 0; i < sizeof kFlags / sizeof kFlags[0]; ++i)
            if (same(option, kFlags[i].name)) {
                flags |= kFlags[i].flag;
                is_flag = 1;
            }
        if (is_flag || used + size + 2 > capacity)
            continue;
        if (used > 0)
            data[used++] = ',';
        copy_text(data + used, capacity - used, option, size);
        used += length(option);
    }
    return flags;
}

// Behind the set, which `*at` is to be in; NULL when it is not. A set without an end holds nothing.
static const char* behind_set(const char* set, char c) {
    const int negated = *set == '!' || *set == '^';
    int is_in = 0;
    for (const char* at = set + negated; *at; ++at) {
        if (*at == ']' && at > set + negated)
            return is_in != negated ? at + 1 : NULL;
        if (at[1] == '-' && at[2] && at[2] != ']') {
            is_in |= c >= at[0] && c <= at[2];
            at += 2;
        } else {
            is_in |= c == *at;
        }
    }
    return NULL;
}

int matches(const char* pattern, const char* text) {
    const char *star = NULL, *tried = NULL;
    while (*text) {
        const char* next = NULL;
        if (*pattern == '*') {
            star = ++pattern;
            tried = text;
            continue;
        }
        if (*pattern == '[')
            next = behind_set(pattern + 1, *text);
        else if (*pattern == '?' || *pattern == *text)
            next = pattern + 1;
        if (next) {
            pattern = next;
            ++text;
        } else if (star) {
            pattern = star;
            text = ++tried;
        } else {
            return 0;
        }
    }
    while (*pattern == '*') ++pattern;
    return !*pattern;
}
