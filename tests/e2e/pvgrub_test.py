#!/usr/bin/env python3
"""Guests of Xen that start kernels of their own, read as Xen's programs read them: where grub-xen-host's GRUB looks for a
menu there is one, and pygrub takes the same kernel and initrd from it that the guest has. No Xen is needed."""

import glob
import io
import json
import re
import subprocess
import tarfile

import image_checkers
import vprov_under_test
from vprov_under_test import VprovTest

RECIPE = """
name = "{name}"
[system]
variant = "minbase"
include = ["fdisk", "xfsprogs"]  # the same in both: a layer of the cache
[identity]
root_password = {{ random = true }}
[boot]
method = "pvgrub"
grow = true
{domain}
[[disk]]
name = "root"
size = "2G"
{disk}
"""
BARE = 'filesystem = "ext4"\nmount = "/"'
PARTITIONED = """table = "gpt"
[[disk.partition]]
size = "512M"
filesystem = "ext4"
mount = "/boot"
[[disk.partition]]
size = "rest"
filesystem = "xfs"
mount = "/"
"""


def run(*argv, **options):
    return subprocess.run(list(map(str, argv)), capture_output=True, check=True, **options).stdout


class PvgrubTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.xen = cls("unpack_xen")
        cls.xen.setUp()
        cls.addClassCleanup(cls.xen.doCleanups)
        cls.xen.unpack_xen()

    # Not installed: they want a host that is Xen's.
    def unpack_xen(self):
        run("apt-get", "download", "xen-utils-4.17", "grub-xen-host", cwd=self.place)
        for package in self.place.glob("*.deb"):
            run("dpkg-deb", "-x", package, self.place)
        self.pygrub = self.place / "usr/lib/xen-4.17/bin/pygrub"

    def build_guest(self, name, domain, disk):
        self.assert_done(self.build(self.recipe(RECIPE.format(name=name, domain=domain, disk=disk))))
        directory = self.output / name
        image = directory / "root.img"
        self.assertEqual(image_checkers.complaints(image, "raw", self.place), [])
        return directory, image

    # The paths that a GRUB of Debian's tries one after the other, from the menu in the memory disk that it carries.
    def menus_tried_by(self, kernel):
        loader = (self.xen.place / kernel.lstrip("/")).read_bytes()
        for found in re.finditer(b"ustar", loader):
            try:
                with tarfile.open(fileobj=io.BytesIO(loader[found.start() - 257:]), mode="r:") as disk:
                    menu = disk.extractfile("grub.cfg").read().decode()
            except (tarfile.TarError, KeyError):
                continue
            return re.findall(r"^\s*configfile (\S+)$", menu, re.MULTILINE)
        self.fail(f"no memory disk in {kernel}")

    def test_bare_pv(self):
        directory, image = self.build_guest("pv1", '[domain]\ntype = "pv"', BARE)
        self.assertIn('kernel = "/usr/lib/grub-xen/grub-x86_64-xen.bin"', (directory / "pv1.cfg").read_text())
        self.check(image, image, "/boot", "/usr/lib/grub-xen/grub-x86_64-xen.bin")

    def test_pvh_with_a_boot_partition(self):
        directory, image = self.build_guest("pvh1", "", PARTITIONED)
        self.assertIn('kernel = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"', (directory / "pvh1.cfg").read_text())
        boot = json.loads((directory / "manifest.json").read_text())["disks"][0]["partitions"][0]
        self.check(image, f"{image}?offset={boot['start']}", "", "/usr/lib/grub-xen/grub-i386-xen_pvh.bin")

    # `boot` is the file system with /boot, as debugfs(8) takes it, and `folder` where /boot is in it.
    def check(self, image, boot, folder, loader):
        menus = self.menus_tried_by(loader)
        self.assertEqual(menus, ["/boot/grub/grub.cfg", "/grub/grub.cfg"])
        there = [menu for menu in menus if b"Inode:" in run("debugfs", "-R", f"stat {menu}", boot)]
        self.assertEqual(there, [f"{folder}/grub/grub.cfg"])
        listed = run("/usr/bin/python3", self.xen.pygrub, "--quiet", "--list-entries", image).decode()
        kernels = re.findall(r"^  kernel: (.*)$", listed, re.MULTILINE)
        self.assertEqual(len(kernels), 3)
        self.assertRegex(kernels[0], rf"^{folder}/vmlinuz-\S+-cloud-amd64$")
        self.assertEqual(set(kernels), {kernels[0]})
        taken = run("/usr/bin/python3", self.xen.pygrub, "--quiet", "--output-format=simple",
                    f"--output-directory={self.place}", image).decode()
        words = dict(re.findall(r"^(\w+) (.*)$", taken, re.MULTILINE))
        self.assertRegex(words["args"], r"^root=UUID=[0-9a-f-]{36} ro console=hvc0$")
        version = kernels[0].partition("vmlinuz-")[2]
        for taken_file, own in ((words["kernel"], f"vmlinuz-{version}"), (words["ramdisk"], f"initrd.img-{version}")):
            with open(taken_file, "rb") as file:
                self.assertTrue(file.read() == run("debugfs", "-R", f"cat {folder}/{own}", boot), f"{own} differs")


if __name__ == "__main__":
    needs = ["root", "network", "apt-get", "dpkg-deb", "debugfs", "mkfs.xfs", *image_checkers.PROGRAMS]
    if not glob.glob("/usr/lib/xen-4.17/lib/*/libxenfsimage.so.4.17"):
        print("skipped: pygrub's library is not here (libxenmisc4.17)")
        raise SystemExit(vprov_under_test.SKIPPED)
    vprov_under_test.main(*needs)
