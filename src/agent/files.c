#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

const char* root_directory = "";
char left_out[] = "";

int is_trial(void) {
    return *root_directory != '\0';
}

char* path_of(const char* path) {
    char* whole = NULL;
    return asprintf(&whole, "%s%s", root_directory, path) < 0 ? NULL : whole;
}

char* read_text(const char* path) {
    char* whole = path_of(path);
    const int fd = whole ? open(whole, O_RDONLY | O_CLOEXEC) : -1;
    free(whole);
    if (fd < 0)
        return NULL;
    size_t size = 0, room = 4096;
    char* text = malloc(room);
    ssize_t got = 0;
    while (text && (got = read(fd, text + size, room - size - 1)) > 0)
        if ((size += (size_t)got) + 1 == room)
            text = realloc(text, room *= 2);
    close(fd);
    if (!text || got < 0) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static int write_all(int fd, const char* text) {
    for (size_t left = strlen(text); left > 0;) {
        const ssize_t written = write(fd, text, left);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return 0;
}

// /etc/resolv.conf and others may be links: what they name is written.
static char* real_path(const char* path) {
    char* whole = path_of(path);
    char* real = whole ? realpath(whole, NULL) : NULL;
    if (!real)
        return whole;
    free(whole);
    return real;
}

int write_text(const char* path, const char* text, unsigned mode) {
    char* target = real_path(path);
    char* fresh = NULL;
    if (!target || asprintf(&fresh, "%s.vprov-new", target) < 0) {
        free(target);
        return -1;
    }
    struct stat before;
    const int is_there = stat(target, &before) == 0;
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int failed = fd < 0 || write_all(fd, text) != 0;
    if (!failed && is_there && fchown(fd, before.st_uid, before.st_gid) != 0)
        failed = 1;
    if (!failed)
        failed = fchmod(fd, is_there ? before.st_mode & 07777 : mode) != 0;
    if (fd >= 0)
        close(fd);
    failed = failed || rename(fresh, target) != 0;
    if (failed) {
        const int cause = errno;
        unlink(fresh);
        errno = cause;
    }
    free(fresh);
    free(target);
    return failed ? -1 : 0;
}

void set_value(const char* path, const char* value) {
    char* whole = path_of(path);
    const int fd = whole ? open(whole, O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        write_all(fd, value);
        close(fd);
    }
    free(whole);
}

char* changed_text(const char* text, line_change change, void* context) {
    char* result = NULL;
    size_t size = 0;
    FILE* out = open_memstream(&result, &size);
    char* copy = strdup(text);
    char* rest = copy;
    if (!out || !copy) {
        free(copy);
        if (out)
            fclose(out);
        free(result);
        return NULL;
    }
    for (char* line; (line = strsep(&rest, "\n"));) {
        char* other = change(line, context);
        if (other == left_out)
            continue;
        fputs(other ? other : line, out);
        if (rest)
            fputc('\n', out);
        free(other);
    }
    fclose(out);
    free(copy);
    return result;
}

static int ends_in(const char* name, const char* const* endings) {
    for (; *endings; ++endings) {
        const size_t size = strlen(name), wanted = strlen(*endings);
        if (size >= wanted && strcmp(name + size - wanted, *endings) == 0)
            return 1;
    }
    return 0;
}

static int change_file(const char* path, line_change change, void* context) {
    char* before = read_text(path);
    char* after = before ? changed_text(before, change, context) : NULL;
    const int failed = after && strcmp(before, after) != 0 ? write_text(path, after, 0644) : 0;
    free(before);
    free(after);
    return failed;
}

int change_lines_of(const char* directory, const char* const* endings, line_change change, void* context) {
    char* whole = path_of(directory);
    struct dirent** names = NULL;
    const int count = whole ? scandir(whole, &names, NULL, alphasort) : -1;
    int failed = 0;
    for (int i = 0; i < count; ++i) {
        char* path = NULL;
        if (ends_in(names[i]->d_name, endings) && asprintf(&path, "%s/%s", directory, names[i]->d_name) >= 0) {
            failed |= change_file(path, change, context);
            free(path);
        }
        free(names[i]);
    }
    free(names);
    free(whole);
    return failed;
}

static int is_of_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// A dot is both: in "web1.example.org" the word web1 is whole, and in "10.0.0.1" the word 10.0.0 is not.
static int is_whole(const char* text, const char* found, size_t size) {
    const char* end = found + size;
    const int is_number = *found >= '0' && *found <= '9';
    if (found > text && (is_of_a_name(found[-1]) || found[-1] == '.'))
        return 0;
    return !is_of_a_name(*end) && !(is_number && *end == '.');
}

char* with_word_replaced(const char* text, const char* word, const char* by) {
    const size_t size = strlen(word);
    char* result = NULL;
    size_t result_size = 0;
    FILE* out = size > 0 ? open_memstream(&result, &result_size) : NULL;
    if (!out)
        return NULL;
    int count = 0;
    for (const char* at = text; *at;) {
        if (strncmp(at, word, size) == 0 && is_whole(text, at, size)) {
            fputs(by, out);
            at += size;
            ++count;
        } else {
            fputc(*at++, out);
        }
    }
    fclose(out);
    if (count == 0) {
        free(result);
        return NULL;
    }
    return result;
}
