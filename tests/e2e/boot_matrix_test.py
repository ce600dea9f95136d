#!/usr/bin/env python3
"""Disks that start by themselves: {bare, MBR and BIOS, MBR with a logical root, GPT and BIOS, GPT and UEFI} x {ext4,
xfs, btrfs}, each built, checked, made larger, booted to its login prompt by a QEMU that has nothing of vprov, and checked
again.

    boot_matrix_test.py VPROV CACHE             a sample
    boot_matrix_test.py VPROV CACHE --all       all fifteen, and secure_boot_test.py
    boot_matrix_test.py VPROV CACHE NAME...     some of them: "gpt-uefi-xfs"
"""

import json
import os
import shutil
import subprocess
import sys

import bare_qemu
import image_checkers
import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import VprovTest

# table, firmware, the image's format
ROADS = {"bare": ("", "direct", "raw"), "mbr-bios": ("mbr", "bios", "raw"), "mbr-logical": ("mbr", "bios", "raw"),
         "gpt-bios": ("gpt", "bios", "raw"), "gpt-uefi": ("gpt", "uefi", "qcow2")}
FILESYSTEMS = ["ext4", "xfs", "btrfs"]
NAMES = [f"{road}-{filesystem}" for road in ROADS for filesystem in FILESYSTEMS]
SAMPLE = ["mbr-logical-xfs", "gpt-bios-ext4", "gpt-uefi-btrfs"]
SIZE, LARGER = 2 << 30, 3 << 30
WANTED = SAMPLE

# One set of packages for each road, so that a layer of the cache serves all file systems.
RECIPE = """
name = "{name}"
[system]
variant = "minbase"
include = ["xfsprogs", "btrfs-progs", "fdisk", "dosfstools"]
[identity]
root_password = {{ random = true }}
[system.kernel]
# A loaded machine is late with the timers of TCG, which kernels check, and with the devices that systemd waits for.
cmdline = "no_timer_check systemd.default_device_timeout_sec=900"
[boot]
grow = true
{boot}
[[disk]]
name = "root"
size = "2G"
format = "{format}"
{disk}
"""
BARE = 'filesystem = "{}"\nmount = "/"'
PARTITION = '[[disk.partition]]\nsize = "rest"\nfilesystem = "{}"\nmount = "/"'
BEFORE_LOGICAL = '[[disk.partition]]\nsize = "256M"\nfilesystem = "ext4"\nmount = "/boot"'
# The lines of a menu that say what is started.
MENU = "grep -Eho '^[[:space:]]*(linux|initrd|search)[[:space:]].*' {} | tr -s '[:space:]' ' ' | sort -u"


def keeps(path, count):
    return f"head -c {count} {path} | sha256sum"


class BootMatrixTest(VprovTest):
    def test_matrix(self):
        for name in WANTED:
            with self.subTest(name):
                self.check_boots(name)

    def check_boots(self, name):
        road, _, filesystem = name.rpartition("-")
        table, firmware, image_format = ROADS[road]
        boot = "" if firmware == "direct" else f'firmware = "{firmware}"'
        recipe = self.recipe(RECIPE.format(name=name, boot=boot, disk=self.disk(road, filesystem), format=image_format),
                             f"{name}.toml")
        self.assert_done(self.build(recipe))
        directory = self.output / name
        image = directory / f"root.{image_format.replace('raw', 'img')}"
        self.assertEqual(image_checkers.complaints(image, image_format, self.place), [])
        subprocess.run(["qemu-img", "resize", "-q", "-f", image_format, image, str(LARGER)], check=True)
        password = (directory / "passwords").read_text().strip().removeprefix("root: ")
        argv = self.qemu(directory, image, image_format, firmware)
        with GuestConsole(argv, os.environ, vprov_under_test.DEADLINE) as console:
            console.log_in("root", password)
            self.check_guest(console, filesystem, firmware)
            if table:
                self.check_grub(console, firmware, (1 if table == "mbr" else 2) << 20)
            self.assertEqual(console.power_off(), 0)
        self.assertEqual(image_checkers.complaints(image, image_format, self.place), [], "after the guest has grown")
        shutil.rmtree(directory)

    @staticmethod
    def disk(road, filesystem):
        table = ROADS[road][0]
        if not table:
            return BARE.format(filesystem)
        lines = [f'table = "{table}"', PARTITION.format(filesystem)]
        if road == "mbr-logical":
            lines = [lines[0], BEFORE_LOGICAL, lines[1], "logical = true"]
        return "\n".join(lines)

    def qemu(self, directory, image, image_format, firmware):
        argv = bare_qemu.argv(image, image_format, bare_qemu.UEFI if firmware == "uefi" else bare_qemu.BIOS, self.place)
        if firmware == "direct":
            manifest = json.loads((directory / "manifest.json").read_text())
            uuid = manifest["disks"][0]["uuid"]
            argv += ["-kernel", f"{directory}/vmlinuz", "-initrd", f"{directory}/initrd.img",
                     "-append", f"root=UUID={uuid} ro console=ttyS0"]
        return argv

    def inside(self, console, command):
        status, said = console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def check_guest(self, console, filesystem, firmware):
        self.assertEqual(console.run("systemctl is-system-running --wait", vprov_under_test.DEADLINE), (0, "running"),
                         console.run("systemctl --failed --no-legend --plain"))
        self.assertEqual(self.inside(console, "findmnt --noheadings --output FSTYPE /"), filesystem)
        cmdline = self.inside(console, "cat /proc/cmdline")
        if firmware == "direct":
            self.assertNotIn("BOOT_IMAGE", cmdline)
        else:
            self.assertRegex(cmdline, r"^BOOT_IMAGE=(/boot)?/vmlinuz-\S+-cloud-amd64 root=UUID=[0-9a-f-]{36} ro ")
        self.assertEqual(self.inside(console, "test -d /sys/firmware/efi && echo uefi || echo bios"),
                         "uefi" if firmware == "uefi" else "bios")
        size = int(self.inside(console, "df --block-size=1 --output=size / | tail -1"))
        self.assertGreater(size, SIZE + (SIZE >> 3), "root has not grown")

    # What vprov has put there is what GRUB's own tools put there: `before_root` bytes of the disk are theirs.
    def check_grub(self, console, firmware, before_root):
        before = self.inside(console, MENU.format("/boot/grub/grub.cfg"))
        self.inside(console, "update-grub 2>/dev/null")
        after = self.inside(console, MENU.format("/boot/grub/grub.cfg"))
        self.assertEqual(self.menu_lines(before), self.menu_lines(after))
        if firmware == "bios":
            was = self.inside(console, keeps("/dev/vda", before_root))
            core = self.inside(console, keeps("/boot/grub/i386-pc/core.img", 1 << 20))
            self.inside(console, "grub-install --no-rs-codes /dev/vda 2>/dev/null && sync")
            self.assertEqual(self.inside(console, keeps("/boot/grub/i386-pc/core.img", 1 << 20)), core)
            self.assertEqual(self.inside(console, keeps("/dev/vda", before_root)), was)
        else:
            self.inside(console, "grub-install --no-nvram --force-extra-removable 2>/dev/null && sync")
            self.assertEqual(self.inside(console, "cd /boot/efi && find EFI -type f | sort"),
                             "EFI/BOOT/BOOTX64.EFI\nEFI/debian/grubx64.efi")

    # grub-mkconfig adds hints to `search`, and an initrd of early microcode where there is one.
    @staticmethod
    def menu_lines(text):
        lines = set()
        for line in text.splitlines():
            words = line.split()
            if words[0] == "search":
                words = [word for word in words if not word.startswith("--hint")]
            lines.add(" ".join(words))
        return sorted(lines)


if __name__ == "__main__":
    asked = sys.argv[3:]
    if asked == ["--all"]:
        from secure_boot_test import SecureBootTest  # noqa: F401, for unittest to find
    if asked:
        WANTED = NAMES if asked == ["--all"] else asked
        unknown = sorted(set(WANTED) - set(NAMES))
        if unknown:
            sys.exit(f"cannot boot {', '.join(unknown)}: known are {', '.join(NAMES)}")
        del sys.argv[3:]
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "mkfs.xfs", "mkfs.btrfs", "mkfs.fat",
                          *image_checkers.PROGRAMS)
