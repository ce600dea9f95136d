// Stands in for a guest's gzip(1) while its packages are configured: a pipe is compressed by libdeflate, in a third of
// the time, to other bytes that unpack to the same. Everything else is gzip's own work, which it is started for.
// It waits in VPROV_REAL_PROGRAMS. Most of the time an initramfs takes to be made is spent on packing it.
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kDefaultLevel = 6 };
static const size_t kLargest = (size_t)1 << 29;  // bytes that are held in memory

static _Noreturn void run_real(char** argv) {
    argv[0] = (char*)"gzip";
    execv(VPROV_REAL_PROGRAMS "/gzip", argv);
    _exit(1);
}

// The level for a command line that asks for a pipe to be packed and for nothing else, 0 for any other.
static int level_of(int argc, char** argv) {
    int level = kDefaultLevel;
    for (int i = 1; i < argc; ++i) {
        if (argv[i][0] != '-' || argv[i][1] == '\0' || argv[i][1] == '-')
            return 0;
        for (const char* flag = argv[i] + 1; *flag; ++flag) {
            if (*flag >= '1' && *flag <= '9')
                level = *flag - '0';
            else if (*flag != 'n' && *flag != 'c')
                return 0;
        }
    }
    return level;
}

static int is_pipe(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static void write_all(int fd, const char* data, size_t size) {
    while (size > 0) {
        const ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            _exit(1);
        data += count;
        size -= (size_t)count;
    }
}

// Fills the buffer up to `capacity`; less only at the end of the input.
static size_t read_up_to(char* data, size_t capacity) {
    size_t size = 0;
    while (size < capacity) {
        const ssize_t count = read(0, data + size, capacity - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            _exit(1);
        if (count == 0)
            break;
        size += (size_t)count;
    }
    return size;
}

static void hand_over(char** argv, char* data, size_t size) {
    int ends[2];
    if (pipe(ends) != 0)
        _exit(1);
    const pid_t child = fork();
    if (child < 0)
        _exit(1);
    if (child == 0) {
        dup2(ends[0], 0);
        close(ends[0]);
        close(ends[1]);
        run_real(argv);
    }
    close(ends[0]);
    for (; size > 0; size = read_up_to(data, kLargest)) write_all(ends[1], data, size);
    close(ends[1]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(int argc, char** argv) {
    const int level = level_of(argc, argv);
    if (level == 0 || !is_pipe(0) || isatty(1))
        run_real(argv);
    char* data = NULL;
    size_t size = 0, capacity = 0;
    do {
        capacity = capacity ? capacity * 2 : (size_t)1 << 24;
        data = realloc(data, capacity);
        if (!data)
            return 1;
        size += read_up_to(data + size, capacity - size);
    } while (size == capacity && capacity < kLargest);
    if (size == kLargest)
        hand_over(argv, data, size);
    struct libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
    const size_t bound = libdeflate_gzip_compress_bound(compressor, size);
    char* packed = malloc(bound);
    if (!compressor || !packed)
        return 1;
    const size_t packed_size = libdeflate_gzip_compress(compressor, data, size, packed, bound);
    if (packed_size == 0)
        return 1;
    write_all(1, packed, packed_size);
    return 0;
}
