#!/usr/bin/env python3
"""Block devices as disks, on loop devices: whatever is on one stops the build, what was written is taken back when the
build fails, and what a killed build has left is known to the next.

    devices_test.py VPROV CACHE                 a few moments to be killed at
    devices_test.py VPROV CACHE --kills NUMBER  so many of each kind
"""

import fcntl
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import vprov_under_test
from interruption_test import Events
from make_archive import SigningKey
from tiny_system import tiny_archive
from vprov_under_test import DISK, GRACE, INTERRUPTED, VprovTest, processes_in

SIZE = 128 << 20
LOOP_SET_CAPACITY = 0x4C07  # linux/loop.h: as large as the file is now
KILLS = 3
UUID = "11111111-2222-3333-4444-555555555555"
HEAD = """\
name = "tiny"
[system]
suite = "bookworm"
variant = "essential"
updates = false
security = false
mirror = "{mirror}"
keyring = "{keyring}"
[system.kernel]
package = ""
"""
BARE = """
[[disk]]
device = "{}"
filesystem = "{}"
mount = "{}"
"""
SWAP = """
[[disk]]
device = "{}"
filesystem = "swap"
"""
PARTITIONED = """
[[disk]]
device = "{}"
table = "{}"
[[disk.partition]]
size = "64M"
filesystem = "ext4"
mount = "/"
[[disk.partition]]
size = "16M"
filesystem = "vfat"
mount = "/data"
[[disk.partition]]
size = "rest"
filesystem = "swap"
"""
IMAGE = """
[[disk]]
size = "96M"
filesystem = "ext4"
mount = "/"
"""


def run(*argv):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def signatures(device):
    return run("wipefs", "--no-act", "--output", "TYPE", "--noheadings", device).split()


def write_at(device, offset, data):
    with open(device, "r+b") as file:
        file.seek(offset)
        file.write(data)


def make_raid_member(device):
    """Version 1.2 of md's superblock: struct mdp_superblock_1 of linux/raid/md_p.h, at 4 KiB."""
    superblock = bytearray(256)
    struct.pack_into("<II", superblock, 0, 0xa92b4efc, 1)
    superblock[16:32] = bytes.fromhex(UUID.replace("-", ""))
    superblock[32:37] = b"array"
    struct.pack_into("<I", superblock, 72, 1)  # level
    struct.pack_into("<Q", superblock, 144, 8)  # where it stands, in sectors
    total = sum(struct.unpack("<64I", superblock))
    struct.pack_into("<I", superblock, 216, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
    write_at(device, 4096, superblock)


def make_table(device, *lines):
    subprocess.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", device], input="\n".join(lines) + "\n", text=True, check=True)


# What is made on the device, and a line of what must be said of it.
FOUND = {
    "ext4": (lambda d: run("mkfs.ext4", "-q", "-L", "precious", "-U", UUID, d), f"ext4 file system 'precious', UUID {UUID}"),
    "vfat": (lambda d: run("mkfs.fat", "-i", "1A2B3C4D", d), "vfat file system, UUID 1A2B-3C4D"),
    "swap": (lambda d: run("mkswap", "-q", "-U", UUID, d), f"swap space, UUID {UUID}"),
    "md": (make_raid_member, "RAID member, linux_raid_member 'array', UUID "),
    "luks": (lambda d: write_at(d, 0, b"LUKS\xba\xbe\x00\x01" + bytes(160) + UUID.encode()), f"crypto_LUKS, UUID {UUID}"),
    "mbr": (lambda d: make_table(d, "label: dos", "1MiB 8MiB", "9MiB 8MiB"), "partition 2, 8M at 9M: nothing that is known"),
    "gpt": (lambda d: make_table(d, "label: gpt"), "gpt partition table"),
}


class DevicesTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="vprov-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.key = SigningKey()
        cls.addClassCleanup(cls.key.close)
        cls.archive = tiny_archive(cls.shared / "archive", cls.key, blob_megabytes=16)

    def setUp(self):
        super().setUp()
        self.cache = self.shared / "cache"

    def disks(self, *texts):
        return self.recipe(HEAD.format(mirror=self.archive.uri, keyring=self.key.keyring) + "".join(texts))

    def device(self, name="backing", size=SIZE):
        backing = self.place / name
        with backing.open("wb") as file:
            file.truncate(size)
        device = run("losetup", "--find", "--show", backing).strip()
        self.addCleanup(run, "losetup", "--detach", device)
        return device

    def device_with_room_for(self, size):
        """Its file is on a tmpfs of that size, which nothing but the device holds: its mount is gone with the script."""
        script = ('mount -t tmpfs -o "size=$1" tmpfs "$2" && truncate -s "$3" "$2/backing" && '
                  'losetup --find --show "$2/backing"')
        device = run("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", size, self.place, SIZE).strip()
        self.addCleanup(run, "losetup", "--detach", device)
        return device

    def check_ext4(self, device):
        run("e2fsck", "-fn", device)
        self.assertIn("ok installed", run("debugfs", "-R", "cat /var/lib/dpkg/status", device))

    def test_whatever_is_found_stops_the_build(self):
        device, other = self.device(), self.device("other")
        recipe = self.disks(BARE.format(device, "ext4", "/"))
        for kind, (make, line) in FOUND.items():
            with self.subTest(kind):
                run("blkdiscard", "--zeroout", device)
                make(device)
                before = digest(device)
                self.assert_failed(self.build(recipe), DISK, f"vprov: cannot write to '{device}': something is on it:\n", f"  {line}",
                                   f"\n'--erase {device}' gives that up\n")
                self.assert_failed(self.build(recipe, "--erase", other), DISK, "something is on it")
                self.assertEqual(digest(device), before)
                self.assert_done(self.build(recipe, "--erase", device))
                self.assertEqual(signatures(device), ["ext4"])
                self.check_ext4(device)
                shutil.rmtree(self.output)

    def test_partitions_of_a_disk_in_use(self):
        """As in the article: the guest is on the third and the fifth partition of a disk that holds other things too."""
        backing = self.place / "disk"
        with backing.open("wb") as file:
            file.truncate(2 * SIZE)
        make_table(backing, "label: dos", "1MiB 16MiB", "17MiB 16MiB", "33MiB 96MiB", "129MiB - E", "130MiB 32MiB")
        device = run("losetup", "--find", "--show", "--partscan", backing).strip()
        self.addCleanup(run, "losetup", "--detach", device)
        if not vprov_under_test.wait_until(lambda: pathlib.Path(f"{device}p5").is_block_device(), 10):
            self.skipTest("this machine makes no nodes for the partitions of loop devices")
        run("mkfs.ext4", "-q", f"{device}p1")
        table, first = run("sfdisk", "--dump", device), digest(f"{device}p1")
        recipe = self.disks(BARE.format(f"{device}p3", "ext4", "/"), SWAP.format(f"{device}p5"))
        self.assert_done(self.build(recipe))
        self.check_ext4(f"{device}p3")
        self.assertEqual((signatures(f"{device}p3"), signatures(f"{device}p5")), (["ext4"], ["swap"]))
        self.assertEqual((run("sfdisk", "--dump", device), digest(f"{device}p1")), (table, first))
        configuration = (self.output / "tiny/tiny.cfg").read_text()
        self.assertIn(f"target={device}p3", configuration)
        self.assertIn(f"target={device}p5", configuration)
        shutil.rmtree(self.output)
        self.assert_failed(self.build(self.disks(BARE.format(device, "ext4", "/"))), DISK, "  mbr partition table\n",
                           "  partition 1, 16M at 1M: ext4 file system", "  partition 3, 96M at 33M: ext4 file system",
                           "  partition 5, 32M at 130M: swap space")
        self.assert_failed(self.build(self.disks(BARE.format(f"{device}p4", "ext4", "/"))), DISK, f"'{device}p4'")
        mounted = self.place / "mounted"
        mounted.mkdir()
        run("mount", f"{device}p1", mounted)
        whole = self.build(self.disks(BARE.format(device, "ext4", "/")), "--erase", device)
        run("umount", mounted)
        self.assert_failed(whole, DISK, f"cannot write to '{device}': it is in use:\n  {device}p1 is mounted at '{mounted}'\n")

    def test_device_too_small(self):
        device = self.device(size=16 << 20)
        recipe = self.disks(BARE.format(device, "ext4", "/"))
        self.assert_failed(self.build(recipe), DISK, "cannot fit 1 packages on 'root'")
        recipe = self.disks(BARE.format(device, "ext4", "/") + 'size = "20M"\n')
        self.assert_failed(self.build(recipe), DISK, f"cannot use '{device}' as a disk of 20M: it has 16M, 4194304 bytes are missing")
        self.assertEqual(signatures(device), [])

    def test_device_that_takes_no_more(self):
        """The tmpfs beneath it is full long before its end; the disk that was written before it is taken back."""
        good, bad = self.device(), self.device_with_room_for("9m")
        for disk in (PARTITIONED.format(bad, "gpt"), BARE.format(bad, "ext4", "/")):
            with self.subTest(disk):
                recipe = self.disks(BARE.format(good, "ext4", "/srv"), disk)
                self.assert_failed(self.build(recipe), DISK, bad, "Input/output error")
                self.assertEqual((signatures(good), signatures(bad)), ([], []))

    def vanished_in_time(self, device, recipe):
        """Cut to nothing when writing begins: all that is read or written from then on fails. False: it was too late."""
        backing = self.place / "backing"
        os.truncate(backing, SIZE)
        run("losetup", "--set-capacity", device)
        process = self.start_build(recipe, "--json", "--erase", device)
        events = Events(process)
        with open(device, "rb") as loop:
            events.wait_for_stage("write")
            os.truncate(backing, 0)
            fcntl.ioctl(loop, LOOP_SET_CAPACITY)
        process.wait(timeout=vprov_under_test.DEADLINE)
        if process.returncode == 0:
            shutil.rmtree(self.output)
            return False
        last = events.last()
        self.assertEqual((process.returncode, last["event"], last["kind"]), (DISK, "error", "disk"), last)
        self.assertIn(device, last["message"])
        return True

    def test_device_that_vanishes_while_it_is_written(self):
        device = self.device()
        for disk in (BARE.format(device, "ext4", "/"), PARTITIONED.format(device, "gpt")):
            with self.subTest(disk):
                self.assertTrue(any(self.vanished_in_time(device, self.disks(disk)) for _ in range(10)))
                self.assert_nothing_left()
                os.truncate(self.place / "backing", SIZE)
                run("losetup", "--set-capacity", device)
                self.assert_done(self.build(self.disks(disk)))
                shutil.rmtree(self.output)
                run("blkdiscard", "--zeroout", device)

    def test_interrupted_while_it_is_written(self):
        """It is taken back then and there."""
        device = self.device()
        for disk in (BARE.format(device, "ext4", "/"), PARTITIONED.format(device, "gpt")):
            with self.subTest(disk):
                statuses = [self.interrupted(device, self.disks(disk)) for _ in range(KILLS)]
                self.assertLessEqual(set(statuses), {INTERRUPTED, 0})
                self.assertIn(INTERRUPTED, statuses)

    def interrupted(self, device, recipe):
        run("blkdiscard", "--zeroout", device)
        process = self.start_build(recipe, "--json")
        Events(process).wait_for_stage("write")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=vprov_under_test.DEADLINE)
        if process.returncode == INTERRUPTED:
            self.assertEqual(signatures(device), [])
            self.assert_nothing_left()
        shutil.rmtree(self.output, ignore_errors=True)
        self.assertEqual(list((self.state / "devices").iterdir()), [])
        return process.returncode

    def assert_image_or_nothing(self):
        published = (self.output / "tiny").exists()
        if published:
            self.assertEqual(sorted(entry.name for entry in (self.output / "tiny").iterdir()), ["log", "manifest.json", "root.img", "tiny.cfg"])
            self.check_ext4(self.output / "tiny/root.img")
        return published

    def killed_build(self, recipe, within):
        """Killed at a random moment of the time that writing takes, or a little before or after it."""
        process = self.start_build(recipe, "--json")
        events = Events(process)
        if within > 0:
            events.wait_for_stage(random.choice(["personalise", "write", "write", "write"]))
        time.sleep(random.random() * within)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=vprov_under_test.DEADLINE)
        vprov_under_test.wait_until(lambda: not processes_in(self.place), GRACE)

    def undisturbed(self, recipe, *arguments):
        """How long it takes to write and publish; its output is gone again."""
        process = self.start_build(recipe, "--json", *arguments)
        events = Events(process)
        events.wait_for_stage("write")
        begin = time.monotonic()
        process.wait(timeout=vprov_under_test.DEADLINE)
        self.assertEqual(process.returncode, 0, process.stderr.read())
        shutil.rmtree(self.output)
        return time.monotonic() - begin

    def test_killed_while_an_image_is_written(self):
        recipe = self.disks(IMAGE)
        within = self.undisturbed(recipe)
        for number in range(KILLS):
            with self.subTest(number):
                self.killed_build(recipe, within)
                if self.assert_image_or_nothing():
                    shutil.rmtree(self.output / "tiny")
        self.assert_done(self.build(recipe))
        self.assert_image_or_nothing()
        self.assertEqual([entry.name for entry in self.output.iterdir()], ["tiny"])

    def check_killed(self, recipe, devices, check):
        """After each kill the same command, without --erase: it is done, unless the killed one was done already."""
        within = self.undisturbed(recipe, *[word for device in devices for word in ("--erase", device)])
        outcomes = {"half": 0, "published": 0}
        for number in range(KILLS):
            with self.subTest(number):
                for device in devices:
                    run("blkdiscard", "--zeroout", device)
                self.killed_build(recipe, within)
                published = (self.output / "tiny").exists()
                outcomes["published" if published else "half"] += 1
                again = self.build(recipe)
                if published:
                    self.assertEqual(again.returncode, DISK, again.stderr)
                    self.assertIn("something is on it", again.stderr)
                else:
                    self.assert_done(again)
                check()
                self.assertEqual([entry.name for entry in self.output.iterdir()], ["tiny"])
                self.assertEqual(list((self.state / "devices").iterdir()) if not published else [], [])
                shutil.rmtree(self.output)
        print(f"killed {KILLS} times: {json.dumps(outcomes)}", file=sys.stderr)

    def test_killed_while_devices_are_written(self):
        first, second = self.device(), self.device("second")
        def check():
            self.check_ext4(first)
            run("fsck.fat", "-n", second)
        self.check_killed(self.disks(BARE.format(first, "ext4", "/"), BARE.format(second, "vfat", "/data")), [first, second], check)

    def test_killed_while_a_table_is_written(self):
        device = self.device()
        for table in ("gpt", "mbr"):
            def check():
                listed = json.loads(run("sfdisk", "--json", device))["partitiontable"]
                self.assertEqual((listed["label"], len(listed["partitions"])), ("gpt" if table == "gpt" else "dos", 3))
            self.check_killed(self.disks(PARTITIONED.format(device, table)), [device], check)


if __name__ == "__main__":
    if sys.argv[3:4] == ["--kills"]:
        KILLS = int(sys.argv[4])
        del sys.argv[3:5]
    vprov_under_test.main("root", "gpg", "gpgv", "dpkg-deb", "losetup", "wipefs", "sfdisk", "blkdiscard", "mkfs.fat", "mmd")
