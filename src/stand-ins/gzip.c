// Stands in for a guest's gzip(1) while its packages are configured: a pipe, or a file that is not to be named in the
// result, is packed by libdeflate, in a third of the time, to other bytes that unpack to the same. Everything else is
// gzip's own work, which it is started for. It waits in VPROV_REAL_PROGRAMS. mkinitramfs(8) has a pipe packed before
// initramfs-tools 0.140, and a file since.
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

struct request {
    int level;         // 0: it asks for something else than to be packed
    int nameless;      // -n
    int to_output;     // -c
    const char* file;  // NULL: standard input
};

static struct request request_of(int argc, char** argv) {
    struct request wanted = {.level = kDefaultLevel};
    const struct request other = {.level = 0};
    for (int i = 1; i < argc; ++i) {
        if (argv[i][0] != '-') {
            if (wanted.file || argv[i][0] == '\0')
                return other;
            wanted.file = argv[i];
            continue;
        }
        if (argv[i][1] == '\0' || argv[i][1] == '-')
            return other;
        for (const char* flag = argv[i] + 1; *flag; ++flag) {
            if (*flag >= '1' && *flag <= '9')
                wanted.level = *flag - '0';
            else if (*flag == 'n')
                wanted.nameless = 1;
            else if (*flag == 'c')
                wanted.to_output = 1;
            else
                return other;
        }
    }
    return wanted;
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

struct bytes {
    const char* data;
    size_t size;
};

static struct bytes read_pipe(char** argv) {
    char* data = NULL;
    size_t size = 0, capacity = 0;
    do {
        capacity = capacity ? capacity * 2 : (size_t)1 << 24;
        data = realloc(data, capacity);
        if (!data)
            _exit(1);
        size += read_up_to(data + size, capacity - size);
    } while (size == capacity && capacity < kLargest);
    if (size == kLargest)
        hand_over(argv, data, size);
    return (struct bytes){data, size};
}

// Without data where gzip may have something to say of the file.
static struct bytes map_file(const char* path) {
    const struct bytes none = {NULL, 0};
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
        (size_t)status.st_size >= kLargest)
        return none;
    void* data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    return data == MAP_FAILED ? none : (struct bytes){data, (size_t)status.st_size};
}

static struct bytes input_of(const struct request* wanted, char** argv) {
    if (!wanted->file)
        return is_pipe(0) ? read_pipe(argv) : (struct bytes){NULL, 0};
    const int plain = wanted->nameless && wanted->to_output;
    return plain ? map_file(wanted->file) : (struct bytes){NULL, 0};
}

int main(int argc, char** argv) {
    const struct request wanted = request_of(argc, argv);
    if (wanted.level == 0 || isatty(1))
        run_real(argv);
    const struct bytes input = input_of(&wanted, argv);
    if (!input.data)
        run_real(argv);
    struct libdeflate_compressor* compressor = libdeflate_alloc_compressor(wanted.level);
    const size_t bound = libdeflate_gzip_compress_bound(compressor, input.size);
    char* packed = malloc(bound);
    if (!compressor || !packed)
        return 1;
    const size_t packed_size = libdeflate_gzip_compress(compressor, input.data, input.size, packed, bound);
    if (packed_size == 0)
        return 1;
    write_all(1, packed, packed_size);
    return 0;
}
