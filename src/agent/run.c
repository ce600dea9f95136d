#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

int run_program(const char* const* words) {
    if (is_trial())
        return 0;
    const pid_t child = fork();
    if (child == 0) {
        const int nothing = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; ++fd) dup2(nothing, fd);
        execvp(words[0], (char* const*)words);
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

void signal_all(const char* name, int signal) {
    DIR* processes = is_trial() ? NULL : opendir("/proc");
    for (const struct dirent* entry; processes && (entry = readdir(processes));) {
        const int pid = atoi(entry->d_name);
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/comm", pid);
        char* comm = pid > 1 ? read_text(path) : NULL;
        if (comm && strncmp(comm, name, strlen(name)) == 0 && strcmp(comm + strlen(name), "\n") == 0)
            kill(pid, signal);
        free(comm);
    }
    if (processes)
        closedir(processes);
}

void signal_server(int signal) {
    char* pid = is_trial() ? NULL : read_text("/run/sshd.pid");
    if (pid && atoi(pid) > 1)
        kill(atoi(pid), signal);
    free(pid);
}
