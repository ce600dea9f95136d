#include "init.h"

struct search {
    const char *uuid, *label, *partuuid, *partlabel, *name;  // one of them; the others are NULL
    struct found* found;
};

static long open_device(const char* name) {
    char path[kWordSize];
    return join(path, sizeof path, "/dev/", name, "") ? CALL4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
                                                      : -ENOENT;
}

// A file below /sys/class/block/NAME.
static long read_property(const char* name, const char* property, char* buffer, size_t capacity) {
    char directory[kWordSize], path[kWordSize];
    buffer[0] = '\0';
    if (!join(directory, sizeof directory, "/sys/class/block/", name, "/") ||
        !join(path, sizeof path, directory, property, ""))
        return -1;
    return read_text(path, buffer, capacity);
}

static unsigned partition_number(const char* name) {
    char text[kNameSize];
    return read_property(name, "partition", text, sizeof text) > 0 ? (unsigned)number_in(text) : 0;
}

// "vda" for "vda1": the directory of a partition is in that of its disk.
static int disk_of(const char* partition, char disk[kNameSize]) {
    char link[kWordSize], target[kWordSize];
    if (!join(link, sizeof link, "/sys/class/block/", partition, ""))
        return 0;
    long size = CALL4(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
    while (size > 0 && target[size - 1] != '/') --size;
    if (size <= 1)
        return 0;
    target[size - 1] = '\0';
    copy_text(disk, kNameSize, last_name(target), kNameSize);
    return 1;
}

static int has_partuuid(const char* name, const char* wanted) {
    char disk[kNameSize], size[kNameSize], text[kUuidSize];
    const unsigned number = partition_number(name);
    if (number == 0 || !disk_of(name, disk))
        return 0;
    const long fd = open_device(disk);
    if (fd < 0)
        return 0;
    const int is_known = read_property(disk, "queue/logical_block_size", size, sizeof size) > 0;
    read_partuuid((int)fd, number, is_known ? (unsigned)number_in(size) : 512, text);
    CALL1(SYS_close, fd);
    return same_without_case(text, wanted);
}

// The kernel says the names of GPT's partitions in uevent.
static int has_partlabel(const char* name, const char* wanted) {
    char text[1024];
    if (read_property(name, "uevent", text, sizeof text) <= 0)
        return 0;
    for (const char* line = text; *line;) {
        size_t size = 0;
        while (line[size] && line[size] != '\n') ++size;
        char one[kWordSize];
        copy_text(one, sizeof one, line, size);
        const char* value = without(one, "PARTNAME=");
        if (value && same(value, wanted))
            return 1;
        line += size + (line[size] == '\n');
    }
    return 0;
}

// Whether "xvda1" is what QEMU calls this disk in its serial number, or a partition of what it calls "xvda".
static int has_serial(const char* name, const char* wanted) {
    char disk[kNameSize], serial[kNameSize], number[24] = "", whole[2 * kNameSize];
    const unsigned partition = partition_number(name);
    copy_text(disk, sizeof disk, name, kNameSize);
    if (partition > 0) {
        if (!disk_of(name, disk))
            return 0;
        write_number(partition, number);
    }
    return read_property(disk, "serial", serial, sizeof serial) > 0 && join(whole, sizeof whole, serial, number, "") &&
           same(whole, wanted);
}

static int is_wanted(const char* name, const struct search* search) {
    if (search->partuuid)
        return has_partuuid(name, search->partuuid);
    if (search->partlabel)
        return has_partlabel(name, search->partlabel);
    if (search->name)
        return same(name, search->name) || has_serial(name, search->name);
    const struct volume* volume = &search->found->volume;
    if (!volume->type[0])
        return 0;
    return search->uuid ? same_without_case(volume->uuid, search->uuid) : same(volume->label, search->label);
}

static int look_at(const char* name, void* context) {
    const struct search* search = context;
    const long fd = open_device(name);
    if (fd < 0)
        return 0;
    read_volume((int)fd, &search->found->volume);
    CALL1(SYS_close, fd);
    copy_text(search->found->device, sizeof search->found->device, name, kNameSize);
    return is_wanted(name, search);
}

int find_root(const char* root, struct found* found) {
    struct search search = {.found = found};
    const char* value;
    if ((value = without(root, "UUID=")) || (value = without(root, "/dev/disk/by-uuid/")))
        search.uuid = value;
    else if ((value = without(root, "LABEL=")) || (value = without(root, "/dev/disk/by-label/")))
        search.label = value;
    else if ((value = without(root, "PARTUUID=")) || (value = without(root, "/dev/disk/by-partuuid/")))
        search.partuuid = value;
    else if ((value = without(root, "PARTLABEL=")) || (value = without(root, "/dev/disk/by-partlabel/")))
        search.partlabel = value;
    else if ((value = without(root, "/dev/")))
        search.name = value;
    else
        return 0;
    return for_each_name("/sys/class/block", look_at, &search);
}

struct list {
    char* text;
    size_t capacity;
};

static int add_name(const char* name, void* context) {
    const struct list* list = context;
    const size_t size = length(list->text);
    const char* separator = size > 0 ? ", " : "";
    join(list->text + size, list->capacity - size, separator, name, "");
    return 0;
}

void list_devices(char* text, size_t capacity) {
    text[0] = '\0';
    for_each_name("/sys/class/block", add_name, &(struct list){text, capacity});
}
