// Superblocks and partition tables: ext4's of the kernel's Documentation/filesystems/ext4/super.rst, xfs's and btrfs's
// of their on-disk formats, GPT's of the UEFI Specification, 5.3.
#include "init.h"

static unsigned u16(const unsigned char* at) {
    return at[0] | (unsigned)at[1] << 8;
}

static unsigned u32(const unsigned char* at) {
    return u16(at) | u16(at + 2) << 16;
}

static int read_at(int device, unsigned long offset, unsigned char* buffer, size_t size) {
    return CALL4(SYS_pread64, device, buffer, size, offset) == (long)size;
}

static int has(const unsigned char* at, const char* magic) {
    for (; *magic; ++magic, ++at)
        if (*at != (unsigned char)*magic)
            return 0;
    return 1;
}

// What e2fsck -a says of it without looking further; one that was not unmounted, or is not checked by the count of its
// mounts, it looks into.
static int is_clean_ext(const unsigned char* super) {
    enum { kValid = 1, kHasErrors = 2, kNeedsRecovery = 4 };
    const int mounts = (short)u16(super + 0x34), most_mounts = (short)u16(super + 0x36);
    const unsigned state = u16(super + 0x3a), checked = u32(super + 0x40), interval = u32(super + 0x44);
    if (!(state & kValid) || (state & kHasErrors) || (u32(super + 0x60) & kNeedsRecovery))
        return 0;
    if (most_mounts > 0 && mounts >= most_mounts)
        return 0;
    struct __kernel_timespec now = {0, 0};
    CALL2(SYS_clock_gettime, 0, &now);
    return interval == 0 || (now.tv_sec >= checked && now.tv_sec < (long long)checked + interval);
}

// As libblkid tells them from each other: by features that the older ones do not know.
static const char* ext_type(const unsigned char* super) {
    enum { kHasJournal = 4, kOldIncompatible = 0x16, kOldReadOnly = 7 };
    if ((u32(super + 0x60) & ~(unsigned)kOldIncompatible) || (u32(super + 0x64) & ~(unsigned)kOldReadOnly))
        return "ext4";
    return u32(super + 0x5c) & kHasJournal ? "ext3" : "ext2";
}

void read_volume(int device, struct volume* volume) {
    enum { kExt = 1024, kBtrfs = 0x10000, kPart = 1024 };
    unsigned char super[kPart];
    *volume = (struct volume){.type = ""};
    if (read_at(device, kExt, super, sizeof super) && u16(super + 0x38) == 0xef53) {
        copy_text(volume->type, sizeof volume->type, ext_type(super), kNameSize);
        write_uuid(super + 0x68, 0, volume->uuid);
        copy_text(volume->label, sizeof volume->label, (const char*)super + 0x78, 16);
        volume->clean = is_clean_ext(super);
    } else if (read_at(device, 0, super, sizeof super) && has(super, "XFSB")) {
        copy_text(volume->type, sizeof volume->type, "xfs", kNameSize);
        write_uuid(super + 32, 0, volume->uuid);
        copy_text(volume->label, sizeof volume->label, (const char*)super + 108, 12);
        volume->clean = 1;  // fsck.xfs(8) and fsck.btrfs(8) do nothing
    } else if (read_at(device, kBtrfs, super, sizeof super) && has(super + 0x40, "_BHRfS_M")) {
        copy_text(volume->type, sizeof volume->type, "btrfs", kNameSize);
        write_uuid(super + 0x20, 0, volume->uuid);
        copy_text(volume->label, sizeof volume->label, (const char*)super + 0x12b, 256);
        volume->clean = 1;
    }
}

static void read_gpt_uuid(int disk, unsigned number, unsigned sector_size, char text[kUuidSize]) {
    unsigned char header[92], entry[32];
    if (!read_at(disk, sector_size, header, sizeof header) || !has(header, "EFI PART"))
        return;
    const unsigned long first = u32(header + 72) | (unsigned long)u32(header + 76) << 32;
    const unsigned count = u32(header + 80), size = u32(header + 84);
    if (number > 0 && number <= count &&
        read_at(disk, first * sector_size + (unsigned long)(number - 1) * size, entry, 32))
        write_uuid(entry + 16, 1, text);
}

void read_partuuid(int disk, unsigned number, unsigned sector_size, char text[kUuidSize]) {
    enum { kProtective = 0xee };
    unsigned char mbr[512];
    text[0] = '\0';
    if (!read_at(disk, 0, mbr, sizeof mbr) || mbr[510] != 0x55 || mbr[511] != 0xaa)
        return;
    if (mbr[446 + 4] == kProtective) {
        read_gpt_uuid(disk, number, sector_size, text);
        return;
    }
    write_hex(u32(mbr + 440), 8, text);
    text[8] = '-';
    write_hex(number, 2, text + 9);
}
