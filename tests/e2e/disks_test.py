#!/usr/bin/env python3
"""Guests on disks with partitions: in an image of another format, and on a block device that holds something."""

import json
import pathlib
import subprocess

import image_checkers
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

    def assert_fstab(self, disk):
        offset = self.planned()[1][0] * 512
        fstab = run("debugfs", "-R", "cat /etc/fstab", f"{disk}?offset={offset}")
        for start, size, _ in self.planned():
            uuid = run("blkid", "-p", "-O", start * 512, "-S", size * 512, "-s", "UUID", "-o", "value", disk).strip()
            self.assertIn(f"UUID={uuid} ", fstab)

    def test_images_of_other_formats(self):
        for name in ("qcow2", "vmdk", "vdi", "vhdx"):
            with self.subTest(name):
                self.check_image_format(name)

    def check_image_format(self, name):
        self.assert_done(self.build(self.recipe(RECIPE.format(disk=f'format = "{name}"'))))
        guest = self.output / "parts"
        image, raw = guest / f"system.{name}", self.place / "raw"
        self.assertEqual(sorted(path.name for path in guest.iterdir()),
                         sorted(["log", "manifest.json", "parts.cfg", image.name]))
        self.assertEqual("format=qcow2,vdev=xvda," in (guest / "parts.cfg").read_text(), name == "qcow2")
        self.assertEqual(image_checkers.complaints(image, name, self.place), [])
        run("qemu-img", "convert", "-O", "raw", image, raw)
        self.assert_table(raw)
        self.assert_fstab(raw)

    def test_without_libparted(self):
        """Told before anything is fetched."""
        library = next(path for path in pathlib.Path("/usr/lib").glob("*/libparted.so.2"))
        run_without = ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"',
                       library]
        recipe = self.recipe(RECIPE.format(disk=""))
        self.assert_failed(self.build(recipe, prefix=run_without), DISK,
                           "vprov: cannot load libparted (apt install libparted2): ")
        self.assertFalse((self.output / "parts").exists())
        said = self.run_vprov("doctor", prefix=run_without).stdout
        self.assertRegex(said, r"(?m)^missing +libparted +partitions disks$")
        self.assertRegex(said, r"(?m)^ *sudo apt install libparted2$")

    def test_checkers_are_heard(self):
        image = self.place / "flawed"
        with image.open("wb") as file:
            file.truncate(64 << 20)
        run("sgdisk", "-n", "1:2048:+60M", image)
        run("mkfs.ext4", "-q", "-E", f"offset={1 << 20}", image, "60M")
        self.assertEqual(image_checkers.complaints(image, "raw", self.place), [])
        with image.open("r+b") as file:
            file.seek((1 << 20) + 1024 + 4)  # s_blocks_count
            file.write(b"\0\0\0\x7f")
            file.truncate(65 << 20)
        self.assertEqual([line.partition(": exit status")[0] for line in
                          image_checkers.complaints(image, "raw", self.place)],
                         ["sfdisk --verify", "sgdisk -v", "1: e2fsck -fn"])

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
        self.assert_fstab(device)
        self.assertEqual(image_checkers.complaints(backing, "raw", self.place), [])


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "losetup", "unshare", "mkfs.fat", "mkfs.btrfs", "mmd",
                          "debugfs", *image_checkers.PROGRAMS)
