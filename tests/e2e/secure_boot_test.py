#!/usr/bin/env python3
"""UEFI Secure Boot: a firmware that has Microsoft's keys starts what a build leaves, the kernel knows of it and keeps to
it, and what somebody has changed on the disk does not start."""

import json
import os
import re
import subprocess

import bare_qemu
import image_checkers
import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import VprovTest

RECIPE = """
name = "signed"
[system]
variant = "minbase"
[identity]
root_password = { random = true }
[system.kernel]
cmdline = "no_timer_check systemd.default_device_timeout_sec=900"  # for loaded machines
[boot]
firmware = "uefi"
secure_boot = true
[[disk]]
name = "root"
size = "2G"
table = "gpt"
[[disk.partition]]
size = "rest"
filesystem = "ext4"
mount = "/"
"""
VARIABLE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


class SecureBootTest(VprovTest):
    def test_signed_chain(self):
        self.assert_done(self.build(self.recipe(RECIPE)))
        directory = self.output / "signed"
        image = directory / "root.img"
        self.assertEqual(image_checkers.complaints(image, "raw", self.place), [])
        password = (directory / "passwords").read_text().strip().removeprefix("root: ")
        argv = bare_qemu.argv(image, "raw", bare_qemu.SECURE, self.place)
        with GuestConsole(argv, os.environ, vprov_under_test.DEADLINE) as console:
            console.log_in("root", password)
            self.check_guest(console)
            self.assertEqual(console.power_off(), 0)
        self.change_loader(image, json.loads((directory / "manifest.json").read_text()))
        argv = bare_qemu.argv(image, "raw", bare_qemu.SECURE, self.place)
        with GuestConsole(argv, os.environ, vprov_under_test.DEADLINE) as console:
            shown = console.wait_for("Security Violation|GNU GRUB|Linux version|login:")
            self.assertTrue(shown.endswith("Security Violation"), shown)

    def check_guest(self, console):
        self.assertEqual(console.run(f"od -An -tu1 -j4 {VARIABLE}"), (0, "   1"))
        status, said = console.run("dmesg | grep -i 'secure boot'")
        self.assertEqual(status, 0)
        self.assertRegex(said, "secureboot: Secure boot enabled")
        self.assertEqual(console.run("cat /sys/kernel/security/lockdown"), (0, "none [integrity] confidentiality"))
        # What the keys do not know, the kernel does not load either.
        status, said = console.run("dd if=/dev/mem of=/dev/null bs=1 count=1")
        self.assertNotEqual(status, 0)
        self.assertIn("Operation not permitted", said)

    # One byte of the signed GRUB, in its text section.
    def change_loader(self, image, manifest):
        start = next(part["start"] for part in manifest["disks"][0]["partitions"] if part["filesystem"] == "vfat")
        loader, place = self.place / "grubx64.efi", f"{image}@@{start}"
        subprocess.run(["mcopy", "-i", place, "::EFI/BOOT/grubx64.efi", loader], check=True)
        data = bytearray(loader.read_bytes())
        found = re.search(rb"Minimal BASH-like line editing", data)
        self.assertTrue(found)
        data[found.start()] ^= 1
        loader.write_bytes(data)
        subprocess.run(["mcopy", "-o", "-i", place, loader, "::EFI/BOOT/grubx64.efi"], check=True)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "mcopy", "mkfs.fat", *image_checkers.PROGRAMS)
