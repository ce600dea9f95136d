#include "init.h"

enum { kMostLines = 512, kMostFiles = 128 };
static char tables[65536];  // their blanks and line ends become NUL
static size_t tables_size;
static struct line {
    const char *pattern, *end;  // behind the last file's NUL, or on it
} lines[kMostLines];
static size_t line_count;
static const char* loaded[kMostFiles];
static size_t loaded_count;

static int is_loaded(const char* file) {
    for (size_t i = 0; i < loaded_count; ++i)
        if (same(loaded[i], file))
            return 1;
    return 0;
}

static void load(const char* file) {
    if (is_loaded(file) || loaded_count == kMostFiles)
        return;
    loaded[loaded_count++] = file;
    char path[kWordSize];
    if (!join(path, sizeof path, "/lib/", file, ""))
        return;
    long status = CALL4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (status >= 0) {
        const long fd = status;
        status = CALL3(SYS_finit_module, fd, "", 0);
        CALL1(SYS_close, fd);
    }
    if (status >= 0 || status == -EEXIST || status == -ENODEV)
        return;
    char number[24];
    write_number(-status, number);
    SAY("cannot load the module ", file, ": error ", number);
}

// All modules of the lines whose patterns match; with NULL, of those for any device.
static void load_for(const char* alias) {
    for (size_t i = 0; i < line_count; ++i) {
        const char* const pattern = lines[i].pattern;
        if (alias ? !matches(pattern, alias) : !same(pattern, "-"))
            continue;
        for (const char* file = pattern + length(pattern) + 1; file < lines[i].end; file += length(file) + 1)
            load(file);
    }
}

void add_modules(const char* path) {
    char* begin = tables + tables_size;
    const long size = read_text(path, begin, sizeof tables - tables_size);
    if (size <= 0)
        return;
    char* const end = begin + size;
    tables_size += (size_t)size + 1;
    for (char* at = begin; at <= end && line_count < kMostLines; ++at) {
        if (*at == ' ')
            *at = '\0';
        if (*at != '\n' && at != end)
            continue;
        *at = '\0';
        lines[line_count++] = (struct line){begin, at};
        begin = at + 1;
    }
    load_for(NULL);
}

static int load_for_device(const char* name, void* bus) {
    char directory[kWordSize], path[kWordSize], alias[kWordSize];
    if (join(directory, sizeof directory, bus, "/", name) && join(path, sizeof path, directory, "/modalias", "") &&
        read_text(path, alias, sizeof alias) > 0)
        load_for(alias);
    return 0;
}

void load_modules_for_devices(void) {
    static const char* const kBuses[] = {"/sys/bus/pci/devices", "/sys/bus/virtio/devices", "/sys/bus/xen/devices",
                                         "/sys/bus/scsi/devices"};
    for (size_t i = 0; i < sizeof kBuses / sizeof kBuses[0]; ++i)
        for_each_name(kBuses[i], load_for_device, (void*)kBuses[i]);
}
