/* xen_reader FILE: what Xen's own parser makes of a domain configuration, as far as its two spellings write the same
 * thing differently: one normal form for both. Without a hypervisor. Debian: libxen-dev. */
#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <string.h>

static const char *const strings[] = {"name", "uuid", "hostname", "kernel", "ramdisk", "firmware", "bootloader", "boot",
    "on_poweroff", "on_reboot", "on_crash", "serial", 0};
static const char *const numbers[] = {"memory", "maxmem", "vcpus", "maxvcpus", "usb", "videoram", 0};

static const char *text_of(XLU_Config *config, const char *key)
{
    const char *value = 0;
    return xlu_cfg_get_string(config, key, &value, 1) ? "" : value;
}

static void print_type(XLU_Config *config)
{
    const char *type = text_of(config, "type"), *builder = text_of(config, "builder");
    printf("type=%s\n", *type ? type : !strcmp(builder, "hvm") ? "hvm" : "pv");
}

static void print_cmdline(XLU_Config *config)
{
    const char *cmdline = text_of(config, "cmdline"), *root = text_of(config, "root"), *extra = text_of(config, "extra");
    if (*cmdline)
        printf("cmdline=%s\n", cmdline);
    else if (*root)
        printf("cmdline=root=%s%s%s\n", root, *extra ? " " : "", extra);
    else
        printf("cmdline=%s\n", extra);
}

static void print_disk(const libxl_device_disk *disk)
{
    printf("disk=%s %s %s %s %s script=%s cdrom=%d discard=%s\n", disk->vdev, libxl_disk_format_to_string(disk->format),
           libxl_disk_backend_to_string(disk->backend), disk->readwrite ? "rw" : "ro",
           disk->pdev_path ? disk->pdev_path : "", disk->script ? disk->script : "", disk->is_cdrom,
           libxl_defbool_to_string(disk->discard_enable));
}

/* xm's cdrom = "/dev/cdrom" of a pv guest is a disk in today's spelling. */
static int print_disks(XLU_Config *config)
{
    XLU_ConfigList *list;
    int count = 0, bad = 0;
    const char *cdrom = text_of(config, "cdrom");
    if (xlu_cfg_get_list(config, "disk", &list, &count, 1))
        count = 0;
    for (int i = 0; i < count + (*cdrom != 0); i++) {
        char spec[4096];
        snprintf(spec, sizeof spec, "format=raw,vdev=hdc,access=ro,devtype=cdrom,target=%s", cdrom);
        const char *item = i < count ? xlu_cfg_get_listitem(list, i) : spec;
        libxl_device_disk disk;
        libxl_device_disk_init(&disk);
        if (!item || xlu_disk_parse(config, 1, &item, &disk))
            bad = 1;
        else
            print_disk(&disk);
        libxl_device_disk_dispose(&disk);
    }
    return bad;
}

/* Without the blanks that xl skips. */
static void print_vifs(XLU_Config *config)
{
    XLU_ConfigList *list;
    int count = 0;
    if (xlu_cfg_get_list(config, "vif", &list, &count, 1))
        return;
    for (int i = 0; i < count; i++) {
        printf("vif=");
        for (const char *at = xlu_cfg_get_listitem(list, i); at && *at; at++)
            if (*at != ' ')
                putchar(*at);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    XLU_Config *config = xlu_cfg_init(stderr, argc > 1 ? argv[1] : "");
    if (argc != 2 || xlu_cfg_readfile(config, argv[1]))
        return 1;
    for (int i = 0; strings[i]; i++)
        printf("%s=%s\n", strings[i], text_of(config, strings[i]));
    for (int i = 0; numbers[i]; i++) {
        long value = 0;
        if (!xlu_cfg_get_long(config, numbers[i], &value, 1))
            printf("%s=%ld\n", numbers[i], value);
    }
    print_type(config);
    print_cmdline(config);
    int bad = print_disks(config);
    print_vifs(config);
    xlu_cfg_destroy(config);
    return bad;
}
