#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// In place; nonzero for a '%' without two digits, and for one that stands for the end of a string.
static int decode(char* text) {
    char* to = text;
    for (const char* from = text; *from; ++from) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        const int high = digit(from[1]);
        const int low = high < 0 ? -1 : digit(from[2]);
        if (low < 0 || (high == 0 && low == 0))
            return -1;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return 0;
}

int read_request(char* line, struct request* request) {
    char* rest = line;
    request->number = strsep(&rest, " ");
    request->command = strsep(&rest, " ");
    request->count = 0;
    if (!*request->number || !request->command || !*request->command)
        return -1;
    for (char* word; (word = strsep(&rest, " "));) {
        char* value = strchr(word, '=');
        if (!value || request->count == kMostPairs)
            return -1;
        *value++ = '\0';
        if (decode(value) != 0)
            return -1;
        request->pairs[request->count++] = (struct pair){word, value};
    }
    return 0;
}

const char* value_of(const struct request* request, const char* key) {
    for (size_t i = 0; i < request->count; ++i)
        if (strcmp(request->pairs[i].key, key) == 0)
            return request->pairs[i].value;
    return NULL;
}

size_t split_value(char* value, char** parts, size_t most) {
    size_t count = 0;
    for (char* part; count < most && (part = strsep(&value, ","));) parts[count++] = part;
    return count;
}

static void add_text(struct answer* answer, const char* text) {
    const size_t size = strlen(text);
    if (answer->size + size >= sizeof answer->text)
        return;
    memcpy(answer->text + answer->size, text, size + 1);
    answer->size += size;
}

static void add_encoded(struct answer* answer, const char* text) {
    static const char kPlain[] = "-._:/+,";
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        const int is_plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr(kPlain, c) != NULL;
        char written[4] = {*text};
        if (!is_plain)
            snprintf(written, sizeof written, "%%%02X", c);
        add_text(answer, written);
    }
}

void add_value(struct answer* answer, const char* key, const char* value) {
    add_text(answer, " ");
    add_text(answer, key);
    add_text(answer, "=");
    add_encoded(answer, value);
}

int fail(struct answer* answer, const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    answer->size = 0;
    add_encoded(answer, text);
    return -1;
}

int fail_errno(struct answer* answer, const char* what) {
    return fail(answer, "cannot %s: %s", what, strerror(errno));
}
