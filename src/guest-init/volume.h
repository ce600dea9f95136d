// What tells block devices from each other: superblocks and partition tables.
#pragma once

#include "words.h"

struct volume {
    char type[kNameSize];  // "ext4", "xfs", "btrfs"; "" : none that is known
    char uuid[kUuidSize];
    char label[kWordSize];
    int clean;  // whether its check at boot would look at nothing
};
void read_volume(int device, struct volume* volume);
// The PARTUUID of a partition, whose disk is open; "" without a table that is known.
void read_partuuid(int disk, unsigned number, unsigned sector_size, char text[kUuidSize]);
