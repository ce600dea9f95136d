#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define PORT "/dev/virtio-ports/org.vprov.0"

static int flush(void) {
    if (!is_trial())
        sync();
    return 0;
}

static int prepare_template(const struct request* request, struct answer* answer) {
    if (prepare_cards(request, answer) != 0)
        return -1;
    prepare_identity();
    return flush();
}

static int take_identity(const struct request* request, struct answer* answer) {
    return set_cards(request, answer) != 0 ? -1 : set_identity(request, answer);
}

static int execute(const struct request* request, struct answer* answer) {
    const char* command = request->command;
    if (strcmp(command, "identify") == 0)
        return identify(answer), 0;
    if (strcmp(command, "wait-started") == 0)
        return RUN("systemctl", "--quiet", "is-system-running", "--wait"), 0;  // whatever has failed in it
    if (strcmp(command, "prepare-template") == 0)
        return prepare_template(request, answer);
    if (strcmp(command, "set-identity") == 0)
        return take_identity(request, answer);
    if (strcmp(command, "set-address") == 0)
        return set_address(request, answer);
    if (strcmp(command, "start-network") == 0)
        return start_network(answer);
    if (strcmp(command, "sync") == 0)
        return flush();
    if (strcmp(command, "wait-card") == 0)
        return wait_for_card(request, answer);
    if (strcmp(command, "wait-network") == 0)
        return wait_for_network(request, answer);
    if (strcmp(command, "settle") == 0)
        return 0;
    return fail(answer, "%s is not known", command);
}

static void send_line(int port, const char* line, size_t size) {
    while (size > 0) {
        const ssize_t written = write(port, line, size);
        if (written < 0 && errno != EINTR)
            return;  // nobody is there any more
        if (written > 0) {
            line += written;
            size -= (size_t)written;
        }
    }
}

static void serve(int port, char* line) {
    struct request request;
    struct answer answer = {"", 0};
    if (read_request(line, &request) != 0)
        return;
    const int failed = execute(&request, &answer);
    char text[sizeof answer.text + 64];
    const int size = snprintf(text, sizeof text, "%s %s%s%s\n", request.number, failed ? "error" : "ok",
                              failed ? " " : "", answer.text);
    send_line(port, text, (size_t)size);
    if (!failed && strcmp(request.command, "settle") == 0)
        settle();
}

// A port that has no one at its other end is readable and at its end. The kernel sends SIGIO when that changes.
static void wait_for_host(void) {
    sigset_t changes;
    sigemptyset(&changes);
    sigaddset(&changes, SIGIO);
    const struct timespec most = {1, 0};
    sigtimedwait(&changes, NULL, &most);
}

static void follow(int port) {
    enum { kMostLine = 64 << 10 };
    static char buffer[kMostLine];
    size_t size = 0;
    for (;;) {
        const ssize_t got = read(port, buffer + size, sizeof buffer - 1 - size);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd wait = {port, POLLIN, 0};
            poll(&wait, 1, -1);
            continue;
        }
        if (got < 0)
            return;
        if (got == 0) {
            size = 0;
            wait_for_host();
            continue;
        }
        size += (size_t)got;
        buffer[size] = '\0';
        char* line = buffer;
        for (char* end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            serve(port, line);
        }
        size -= (size_t)(line - buffer);
        memmove(buffer, line, size);
        if (size == sizeof buffer - 1)
            size = 0;  // not a request
    }
}

int main(int count, char** words) {
    const char* path = count > 1 ? words[1] : PORT;
    if (count > 2)
        root_directory = words[2];
    signal(SIGPIPE, SIG_IGN);
    sigset_t changes;
    sigemptyset(&changes);
    sigaddset(&changes, SIGIO);
    sigprocmask(SIG_BLOCK, &changes, NULL);
    const int port = open(path, O_RDWR | O_CLOEXEC);
    if (port < 0 || fcntl(port, F_SETOWN, getpid()) != 0 || fcntl(port, F_SETFL, O_ASYNC) != 0) {
        fprintf(stderr, "vprov-agent: cannot open %s: %s\n", path, strerror(errno));
        return 1;
    }
    follow(port);
    return 1;
}
