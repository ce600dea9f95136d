#!/usr/bin/env python3
"""Guests on disks with partitions: in an image of another format, and on a block device that holds something."""

import json
import pathlib
import subprocess

import vprov_under_test
from vprov_under_test import DISK, VprovTest

RECIPE = """\
name = "parts"
[system]
suite = "bookworm"
variant = "essential"
updates = false
security = false
[system.kernel]
package = ""
[[disk]]
name = "system"
table = "gpt"
size = "1G"
{disk}
[[disk.partition]]
type = "esp"
size = "64M"
mount = "/boot/efi"
[[disk.partition]]
size = "rest"
filesystem = "ext4"
mount = "/"
[[disk.partition]]
size = "128M"
filesystem = "btrfs"
mount = "/home"
[[disk.partition]]
size = "64M"
filesystem = "swap"
"""


def run(*argv):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=True).stdout


class DisksTest(VprovTest):
    def planned(self):
        manifest = json.loads((self.output / "parts" / "manifest.json").read_text())
        return [(part["start"] // 512, part["size"] // 512, part["partuuid"].upper())
                for part in manifest["disks"][0]["partitions"]]

    def assert_table(self, disk):
        table = json.loads(run("sfdisk", "-J", disk))["partitiontable"]
        self.assertEqual([(part["start"], part["size"], part["uuid"]) for part in table["partitions"]], self.planned())
        self.assertIn("No problems found.", run("sgdisk", "-v", disk))

    def assert_file_systems(self, disk):
        """Copies of the partitions, for the checkers that take no offset."""
        for number, (start, size, _) in enumerate(self.planned()):
            run("dd", f"if={disk}", f"of={self.place}/part{number}", "bs=1M", "conv=sparse", "status=none",
                f"skip={start // 2048}", f"count={size // 2048}")
        run("fsck.fat", "-n", self.place / "part0")
        run("e2fsck", "-fn", self.place / "part1")
        run("btrfs", "check", self.place / "part2")
        fstab = run("debugfs", "-R", "cat /etc/fstab", self.place / "part1")
        for number in range(4):
            uuid = run("blkid", "-p", "-s", "UUID", "-o", "value", self.place / f"part{number}").strip()
            self.assertIn(f"UUID={uuid} ", fstab)

    def test_image_of_another_format(self):
        self.assert_done(self.build(self.recipe(RECIPE.format(disk='format = "qcow2"'))))
        guest = self.output / "parts"
        self.assertEqual(sorted(path.name for path in guest.iterdir()),
                         ["log", "manifest.json", "parts.cfg", "system.qcow2"])
        self.assertIn("format=qcow2,vdev=xvda,", (guest / "parts.cfg").read_text())
        run("qemu-img", "check", "-q", guest / "system.qcow2")
        run("qemu-img", "convert", "-O", "raw", guest / "system.qcow2", self.place / "raw")
        self.assert_table(self.place / "raw")
        self.assert_file_systems(self.place / "raw")

    def test_device_that_holds_something(self):
        backing = self.place / "backing"
        with backing.open("wb") as file:
            file.truncate(1 << 30)
        device = run("losetup", "--find", "--show", backing).strip()
        self.addCleanup(run, "losetup", "--detach", device)
        run("mkfs.ext4", "-q", "-L", "precious", "-U", "11111111-2222-3333-4444-555555555555", device)
        recipe = self.recipe(RECIPE.format(disk=f'device = "{device}"'))
        self.assert_failed(self.build(recipe), DISK,
                           f"vprov: cannot write to '{device}': something is on it:\n"
                           "  ext4 file system 'precious', UUID 11111111-2222-3333-4444-555555555555\n"
                           f"'--erase {device}' gives that up")
        self.assertIn("precious", run("blkid", "-p", device))
        self.assert_done(self.build(recipe, "--erase", device))
        self.assertIn(f"target={device}", (self.output / "parts" / "parts.cfg").read_text())
        self.assertFalse(list(pathlib.Path(self.output / "parts").glob("system*")))
        self.assert_table(device)
        self.assert_file_systems(device)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "losetup", "sfdisk", "sgdisk", "qemu-img", "mkfs.fat", "mkfs.btrfs", "mmd")
