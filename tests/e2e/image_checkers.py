"""What the trade's checkers say of a disk image: partition tables, file systems, the format.

    complaints(image, "raw", place)     a list of text, empty for an image without a flaw

A checker that talks of its progress is silent when it says nothing else, and its exit status is 0. `place` is a
directory with room for a copy of the disk, sparse; it is left empty.
"""

import json
import os
import re
import subprocess

PROGRAMS = ["e2fsck", "xfs_repair", "btrfs", "fsck.fat", "sfdisk", "sgdisk", "qemu-img", "blkid"]

E2FSCK = [r"e2fsck \d.*", r"Pass \d: Checking .*", r"\S+: \d+/\d+ files \([\d.]+% non-contiguous\), \d+/\d+ blocks"]
XFS_REPAIR = [r"Phase \d - .*", r"        - (agno = \d+|zero log\.\.\.|scan filesystem freespace and inode maps\.\.\.|"
              r"found root inode chunk|scan \(but don't clear\) agi unlinked lists\.\.\.|"
              r"process known inodes and perform inode discovery\.\.\.|process newly discovered inodes\.\.\.|"
              r"setting up duplicate extent list\.\.\.|check for inodes claiming duplicate blocks\.\.\.|"
              r"traversing filesystem \.\.\.|traversal finished \.\.\.|moving disconnected inodes to lost\+found \.\.\.)",
              r"No modify flag set, skipping (phase 5|filesystem flush and exiting\.)",
              # of a copy in a file on something else than xfs, which says nothing of what is in it
              r"Cannot get host filesystem geometry\.", r"Repair may fail if there is a sector size mismatch between",
              r"the image and the host filesystem\."]
BTRFS = [r"\[\d/\d\] checking .*", r"Opening filesystem to check\.\.\.", r"Checking filesystem on .*", r"UUID: \S+",
         r"found \d+ bytes used, no error found", r"(total [a-z ]+|[a-z ]+ bytes|file data blocks allocated): \d+",
         r" referenced \d+"]
FSCK_FAT = [r"fsck\.fat \d.*", r"\S+: \d+ files, \d+/\d+ clusters"]
SFDISK = [r"No errors detected\.", r"\S+:", r"(Header version|Using \d+ out of \d+ partitions).*",
          r"A total of \d+ free sectors is available in \d+ segments?.*", r"Remaining \d+ unallocated 512-byte sectors\."]
SGDISK = [r"No problems found\. \d+ free sectors \([^)]*\) available in \d+", r"segments, the largest of which is .* in size\."]
QEMU_IMG = [r"No errors were found on the image\.", r"\d+/\d+ = [\d.]+% allocated, .*", r"Image end offset: \d+"]

OF_FILESYSTEM = {"ext4": (["e2fsck", "-fn"], E2FSCK), "ext3": (["e2fsck", "-fn"], E2FSCK),
                 "ext2": (["e2fsck", "-fn"], E2FSCK), "xfs": (["xfs_repair", "-n", "-f"], XFS_REPAIR),
                 "btrfs": (["btrfs", "check"], BTRFS), "vfat": (["fsck.fat", "-n"], FSCK_FAT)}
EXTENDED = {"5", "f"}
SECTOR = 512
MOST_LINES = 20
UNCHECKED = {"swap", ""}  # the latter is GRUB's BIOS boot partition


def run(argv):
    return subprocess.run(list(map(str, argv)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def check(argv, path, progress):
    done = run([*argv, path])
    said = [line for line in done.stdout.splitlines() if line.strip()]
    odd = [line for line in said if not any(re.fullmatch(pattern, line) for pattern in progress)]
    if done.returncode != 0 or odd:
        return [f"{' '.join(argv)}: exit status {done.returncode}: " + "\n".join((odd or said)[:MOST_LINES])]
    return []


def type_of(image):
    return run(["blkid", "-p", "-s", "TYPE", "-o", "value", image]).stdout.strip()


def filesystem_complaints(image):
    found = type_of(image)
    if found in UNCHECKED:
        return []
    argv, progress = OF_FILESYSTEM[found]
    return check(argv, image, progress)


def complaints(image, image_format, place):
    raw, found = image, []
    if image_format != "raw":
        found += check(["qemu-img", "check", "-f", image_format], image, QEMU_IMG)
        raw = place / "whole"
        subprocess.run(["qemu-img", "convert", "-f", image_format, "-O", "raw", image, raw], check=True)
    found += filesystem_complaints(raw) if type_of(raw) else disk_complaints(raw, place / "part")
    if raw != image:
        raw.unlink()
    return found


def disk_complaints(disk, copy):
    listed = subprocess.run(["sfdisk", "-J", disk], capture_output=True, text=True, check=True).stdout
    table = json.loads(listed)["partitiontable"]
    found = table_complaints(table, disk)
    for partition in table["partitions"]:
        if partition["type"] not in EXTENDED:
            found += partition_complaints(disk, partition, copy)
    return found


def table_complaints(table, disk):
    found = check(["sfdisk", "--verify"], disk, SFDISK)
    if table["label"] == "gpt":
        found += check(["sgdisk", "-v"], disk, SGDISK)
    return found


def partition_complaints(disk, partition, copy):
    """Of a copy, for most checkers take no offset."""
    copy_sparse(disk, partition["start"] * SECTOR, partition["size"] * SECTOR, copy)
    found = [f"{partition['node'].removeprefix(str(disk))}: {line}" for line in filesystem_complaints(copy)]
    copy.unlink()
    return found


def copy_sparse(source, start, size, target):
    with open(source, "rb", buffering=0) as read, open(target, "wb", buffering=0) as written:
        written.truncate(size)
        at, end = start, start + size
        while at < end:
            try:
                at = max(at, os.lseek(read.fileno(), at, os.SEEK_DATA))
                hole = min(end, os.lseek(read.fileno(), at, os.SEEK_HOLE))
            except OSError:  # ENXIO: nothing but a hole behind it
                return
            while at < hole:
                at += os.copy_file_range(read.fileno(), written.fileno(), min(hole - at, 1 << 26), at, at - start)
