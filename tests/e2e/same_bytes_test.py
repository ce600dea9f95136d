#!/usr/bin/env python3
"""Two builds of a locked recipe: the same bytes, whoever builds, where, when, on how many processors and with what in the
cache; and `vprov verify`, which finds out.

    same_bytes_test.py VPROV CACHE          file systems, tables and verify, with the essential packages
    same_bytes_test.py VPROV CACHE --all    besides: guests that boot, with SSH and GRUB, and an xfs
"""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

import vprov_under_test
from ordinary_user import UID, OrdinaryUserTest
from vprov_under_test import DONE, USAGE

DIFFERS = 1
ALL = False
HASH = "$6$saltsalt$bAY90rAsHhyx.bxmKP9FE5UF4jP1iWgjV0ltM6ZJxfYkiIaCExjBZIIhmqZEhQ6qHTxi3VjZ3QyNWvJ0qVV9K."

ESSENTIAL = """\
name = "same"
[system]
suite = "bookworm"
variant = "essential"
include = ["passwd"]  # for /etc/shadow
updates = false
security = false
mirror = "{mirror}"
[system.kernel]
package = ""
[identity]
root_password = {password}
"""
BARE = """
[[disk]]
size = "400M"
filesystem = "ext4"
mount = "/"
label = "root"
[[disk]]
size = "16M"
filesystem = "swap"
"""
TABLES = """
[[disk]]
name = "gpt"
table = "gpt"
size = "700M"
format = "qcow2"
[[disk.partition]]
type = "esp"
size = "64M"
mount = "/boot/efi"
[[disk.partition]]
size = "rest"
filesystem = "btrfs"
mount = "/"
[[disk]]
name = "mbr"
table = "mbr"
size = "300M"
[[disk.partition]]
size = "200M"
filesystem = "ext3"
mount = "/var"
[[disk.partition]]
size = "rest"
filesystem = "swap"
[[disk]]
name = "doc"
size = "auto"
room = "8M"
filesystem = "ext4"
mount = "/usr/share"
[[disk]]
name = "files"
size = "64M"
filesystem = "vfat"
mount = "/srv"
[[file]]
path = "/srv/one/two.txt"
content = "on vfat"
"""
BOOTING = """\
name = "same"
[system]
suite = "bookworm"
include = ["openssh-server", "locales"]
mirror = "{mirror}"
[identity]
locale = "de_DE.UTF-8"
timezone = "Europe/Berlin"
root_password = {{ random = true }}
[[identity.user]]
name = "joe"
sudo = true
[[network]]
address = "dhcp"
"""
XFS = """
[[disk]]
name = "root"
table = "gpt"
size = "2G"
[[disk.partition]]
size = "rest"
filesystem = "ext4"
mount = "/"
[[disk.partition]]
size = "400M"
filesystem = "xfs"
mount = "/usr/share"
"""
UEFI = """
[boot]
method = "grub"
firmware = "uefi"
[[disk]]
name = "root"
table = "gpt"
size = "2G"
[[disk.partition]]
size = "rest"
filesystem = "ext4"
mount = "/"
"""


def run(*argv):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=True).stdout


class SameBytesTest(OrdinaryUserTest):
    def locked(self, text):
        recipe = self.recipe(text)
        self.assert_done(self.run_vprov("lock", recipe, "--cache-dir", self.cache))
        return recipe

    def built(self, recipe, directory, *arguments, user=False, processors=None, cache=None):
        """DIR/same of a build; `directory` is new."""
        prefix = self.as_user() if user else []
        command = [self.program] if processors is None else ["taskset", "--cpu-list", processors, self.program]
        place = self.place / directory
        place.mkdir()
        own = shutil.copy(recipe, place), shutil.copy(recipe.with_suffix(".lock"), place)
        if user:
            for path in (place, *own):
                os.chown(path, UID, UID)
        self.assert_done(self.run_as(prefix, *command, "build", "--locked", own[0], "--output", place / "out",
                                     "--cache-dir", cache or (self.user_cache if user else self.cache), *arguments))
        return place / "out/same"

    def assert_same(self, one, other):
        """Everything but what says where and when it was built."""
        names = sorted(path.name for path in one.iterdir())
        self.assertEqual(sorted(path.name for path in other.iterdir()), names)
        for name in names:
            if name == "log":  # what scripts said, and tzdata's tell the time
                self.assertEqual(sorted(os.listdir(one / name)), sorted(os.listdir(other / name)))
            elif name == "same.cfg":  # has the paths of images
                texts = [(path / name).read_text().replace(str(path), "DIR") for path in (one, other)]
                self.assertEqual(texts[0], texts[1])
            elif name == "manifest.json":
                texts = [json.loads((path / name).read_text()) for path in (one, other)]
                for text in texts:
                    text.pop("stages")  # their seconds
                self.assertEqual(texts[0], texts[1])
            else:
                said = subprocess.run(["cmp", one / name, other / name], capture_output=True, text=True, check=False)
                self.assertEqual(said.returncode, 0, said.stdout)

    def verify(self, *arguments, user=False):
        return self.run_as(self.as_user() if user else [], "env", f"TMPDIR={self.place}", self.program, "--quiet", "verify",
                           "--cache-dir", self.user_cache if user else self.cache, *arguments)

    def verified(self, *arguments):
        """Of each file of the guest what is said; status and words agree."""
        done = self.run_as([], "env", f"TMPDIR={self.place}", self.program, "--json", "verify", "--cache-dir", self.cache,
                           *arguments)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        last = events[-1]
        self.assertEqual(last["event"], "verified", done.stderr)
        self.assertEqual(done.returncode, DONE if last["same"] else DIFFERS)
        return {file["name"]: file.get("difference", {}).get("text") for file in last["files"]}, last

    def test_bare_file_systems(self):
        recipe = self.locked(ESSENTIAL.format(mirror=self.mirror, password=f'{{ hash = "{HASH}" }}') + BARE)
        one = self.built(recipe, "one", "--no-layers", processors="0")
        self.assert_same(one, self.built(recipe, "from-cache"))
        self.assert_same(one, self.built(recipe, "of-user", user=True))
        image = one / "root.img"
        run("e2fsck", "-fn", image)
        self.assert_no_later_than_packages(image)
        self.assertEqual(self.verified(one, recipe.with_suffix(".lock"))[0], {"root.img": None, "swap.img": None})
        run("debugfs", "-w", "-R", "sif /etc/issue mode 0100600", image)
        run("debugfs", "-w", "-R", "sif /etc/passwd uid 7", image)
        renamed = self.place / "renamed"
        image.rename(renamed)
        self.assertEqual(self.verified(renamed, recipe, "--disk", "root")[0],
                         {"root.img": "'/etc/issue': mode 0600, not 0644"})
        self.assert_nothing_but(self.place)

    def assert_no_later_than_packages(self, image):
        """Neither the tables of accounts nor the file system know the day of the build."""
        made = next(line for line in run("dumpe2fs", "-h", image).splitlines() if line.startswith("Filesystem created:"))
        date = datetime.datetime.strptime(made.split(":", 1)[1].strip(), "%a %b %d %H:%M:%S %Y")
        days = [int(line.split(":")[2]) for line in run("debugfs", "-R", "cat /etc/shadow", image).splitlines()]
        self.assertGreater(len(days), 10)
        self.assertLessEqual(max(days), (date - datetime.datetime(1970, 1, 1)).days)

    def assert_nothing_but(self, place):
        self.assertEqual([path.name for path in place.iterdir() if "verify" in path.name], [])
        self.assert_all_ended()
        self.assertNotIn(str(place), pathlib.Path("/proc/self/mountinfo").read_text())

    def test_tables_and_other_file_systems(self):
        recipe = self.locked(ESSENTIAL.format(mirror=self.mirror, password="{ random = true }") + TABLES)
        one = self.built(recipe, "one", "--no-layers")
        names = {"gpt.qcow2", "mbr.img", "doc.img", "files.img"}
        self.assertEqual(self.verify(one, recipe).returncode, DONE)
        self.assert_same_but_for_the_password(one, self.built(recipe, "of-user", user=True, processors="0"))
        start = json.loads(run("sfdisk", "-J", one / "mbr.img"))["partitiontable"]["partitions"][0]["start"] * 512
        run("debugfs", "-w", "-R", "rm /lib/dpkg/status", f"{one}/mbr.img?offset={start}")
        run("qemu-io", "-f", "qcow2", "-c", "write -P 0x41 568 4", one / "gpt.qcow2")  # the disk's GUID
        run("tune2fs", "-L", "other", one / "doc.img")
        run("mcopy", "-n", "-o", "-i", one / "files.img", recipe, "::/one/two.txt")
        found, event = self.verified(one, recipe)
        self.assertEqual(set(found), names)
        self.assertEqual(event["taken"], ["the password of root"])
        self.assertEqual(found["gpt.qcow2"], "the partition table: byte 568")
        self.assertEqual(found["mbr.img"], "partition 1 (var), '/lib/dpkg/status': missing")
        self.assertRegex(found["doc.img"], "^what the file system has besides files, byte 1[0-9]{3} of it$")
        self.assertEqual(found["files.img"], "'/one/two.txt': content")
        self.assert_nothing_but(self.place)

    def assert_same_but_for_the_password(self, one, other):
        for name in ("mbr.img", "doc.img", "files.img"):
            self.assertEqual(run("cmp", one / name, other / name), "")

    def test_what_cannot_be_verified(self):
        recipe = self.recipe(ESSENTIAL.format(mirror=self.mirror, password=f'{{ hash = "{HASH}" }}') + BARE)
        (self.place / "other").write_text("")
        said = self.run_vprov("verify", self.place / "none.img", recipe)
        self.assert_failed(said, USAGE, "cannot verify", "there is no such file")
        said = self.run_vprov("verify", self.place / "other", recipe)
        self.assert_failed(said, USAGE, "which disk is it? --disk says so, one of root, swap")

    def test_guests_that_boot(self):
        if not ALL:
            self.skipTest("takes minutes; --all")
        for disks in (BARE.replace("400M", "2G"), UEFI, XFS):
            with self.subTest(disks):
                recipe = self.locked(BOOTING.format(mirror=self.mirror) + disks)
                user = disks != XFS  # which only root can fill
                one = self.built(recipe, f"guest{len(disks)}", "--no-layers", user=user, processors="0")
                found, event = self.verified(one, recipe)
                self.assertEqual(set(found.values()), {None}, found)
                self.assertEqual(event["taken"], ["the password of root", "the SSH host key rsa", "the SSH host key ecdsa",
                                                  "the SSH host key ed25519"])
                by_files = [name for file in event["files"] for name in file["compared_by_files"]]
                self.assertEqual(by_files, [] if user else ["usr-share"])


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        ALL = True
    vprov_under_test.main("root", "network", "unshare", "setpriv", "newuidmap", "taskset", "debugfs", "sfdisk", "qemu-io",
                          "mcopy", "mkfs.btrfs", "mkfs.fat", "cmp")
