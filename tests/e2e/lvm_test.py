#!/usr/bin/env python3
"""LVM volumes, arrays, swap space, partitions and SCSI disks that are taken away, as disks of guests: by this vprov in a
guest of its own, where there are drivers and udev whatever the host has.

    lvm_test.py VPROV CACHE                 a few moments to be killed at
    lvm_test.py VPROV CACHE --kills NUMBER  so many
"""

import random
import re
import sys

import vprov_under_test
from device_guest import DeviceGuest
from vprov_under_test import DISK, INTERRUPTED, VprovTest

KILLS = 2
HEAD = """\
name = "tiny"
[system]
suite = "bookworm"
variant = "essential"
updates = false
security = false
mirror = "file:///payload/archive"
keyring = "/payload/key.gpg"
[system.kernel]
package = ""
"""


def disk(device, filesystem="ext4", mount="/", size=None):
    lines = ["[[disk]]", f'device = "{device}"', f'filesystem = "{filesystem}"']
    lines += [f'mount = "{mount}"'] if mount else []
    lines += [f'size = "{size}"'] if size else []
    return "\n".join(lines) + "\n"


def swap(device, size=None):
    return disk(device, "swap", None, size)


RECIPES = {
    "large.toml": HEAD + disk("/dev/vg0/tiny", size="200M") + swap("/dev/vg0/tiny-swap", "64M"),
    "volumes.toml": HEAD + disk("/dev/vg0/tiny", size="64M") + swap("/dev/vg0/tiny-swap", "16M"),
    "unwritable.toml": HEAD + disk("/dev/vg0/tiny", size="64M") + disk("/dev/vg0/data", "btrfs", "/data", "128M"),
    "volume.toml": HEAD + disk("/dev/vg0/tiny", size="64M"),
    "member.toml": HEAD + disk("/dev/sdc"),
    "physical.toml": HEAD + disk("/dev/sda"),
    "partitions.toml": HEAD + disk("/dev/sdb3") + swap("/dev/sdb5"),
    "whole.toml": HEAD + disk("/dev/sdb"),
    "both.toml": HEAD + disk("/dev/sdb") + swap("/dev/sdb5"),
    "gone.toml": HEAD + disk("/dev/sdd"),
}
UNFINISHED = "/dev/vg0/tiny.vprov-unfinished"


class LvmTest(VprovTest):
    """One guest, and what happens in it one after the other."""

    def test_devices_of_a_guest(self):
        guest = DeviceGuest(self, [256] * 4, RECIPES)  # alike: the kernel does not promise which is sda
        with guest.console() as self.console:
            guest.prepare(self.console)
            for step in (self.volumes, self.failing_and_interrupted, self.killed, self.killed_when_named, self.physical_volume,
                         self.array, self.partitions, self.disk_taken_away):
                with self.subTest(step.__name__):
                    step()

    def inside(self, command):
        status, said = self.console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def vprov(self, recipe, *arguments, status=0):
        got, said = self.console.run(self.command(recipe, *arguments))
        self.assertEqual(got, status, said)
        return said

    @staticmethod
    def command(recipe, *arguments):
        return " ".join(["/payload/vprov build --quiet --output out --cache-dir cache", *arguments, f"/payload/recipes/{recipe}.toml"])

    def refused(self, recipe, *lines, arguments=()):
        said = self.vprov(recipe, *arguments, status=DISK)
        for line in lines:
            self.assertIn(line, said)

    def listed(self):
        """Names and tags of volumes."""
        return [line.split() for line in self.inside("lvs --noheadings --options lv_name,lv_tags vg0").splitlines()]

    def assert_volumes(self, *names):
        self.assertEqual(self.listed(), [[name] for name in names])
        self.inside("udevadm settle; ! ls /dev/vg0 2>/dev/null | grep unfinished; ! dmsetup info --columns --noheadings | grep -i susp")

    def assert_whole(self):
        self.inside("e2fsck -fn /dev/vg0/tiny && debugfs -R 'cat /var/lib/dpkg/status' /dev/vg0/tiny | grep 'ok installed'")
        self.assertEqual(self.inside("ls -1A out; ls -1A out/tiny"), "tiny\nlog\nmanifest.json\ntiny.cfg")

    def forget(self):
        self.inside("rm -rf out; lvremove --yes --quiet vg0; true")

    def volumes(self):
        self.inside("pvcreate --quiet /dev/sda && vgcreate --quiet vg0 /dev/sda")
        self.refused("large", "vprov: cannot make volume 'vg0/tiny-swap' of 64M: 12582912 bytes are missing in 'vg0'")
        self.assert_volumes()
        self.vprov("volumes")
        self.assert_volumes("tiny", "tiny-swap")
        self.assert_whole()
        configuration = self.inside("cat out/tiny/tiny.cfg")
        for name in ("tiny", "tiny-swap"):
            self.assertIn(f"target=/dev/vg0/{name}", configuration)
        self.refused("volumes", "vprov: cannot write to '/dev/vg0/tiny': something is on it:", "  ext4 file system, UUID ",
                     "'--erase /dev/vg0/tiny' gives that up")
        self.refused("volumes", "cannot write to '/dev/vg0/tiny-swap': something is on it:", "  swap space",
                     arguments=["--erase /dev/vg0/tiny"])
        self.assert_whole()
        self.vprov("volumes", "--erase /dev/vg0/tiny --erase /dev/mapper/vg0-tiny--swap")
        self.assert_volumes("tiny", "tiny-swap")
        self.assert_whole()
        self.inside("lvchange --activate n vg0/tiny")
        self.refused("volumes", "cannot use volume 'vg0/tiny': it is not active; 'lvchange --activate y vg0/tiny' makes it so")
        self.forget()

    def failing_and_interrupted(self):
        self.forget()
        self.refused("unwritable", "cannot write /dev/vg0/data.vprov-unfinished:", "(install btrfs-progs)")
        self.assert_volumes()
        self.assertEqual(self.stopped("volume", "INT", 0), INTERRUPTED)
        self.assert_volumes()
        self.assertEqual(self.inside("ls -1A out"), "")

    def stopped(self, recipe, signal, seconds):
        """The exit status of a build that was sent the signal some time after its volume was there."""
        status, said = self.console.run(f"{self.command(recipe)} >log 2>&1 & pid=$!; until test -e {UNFINISHED} || ! kill -0 $pid; do "
                                        f"sleep 0.02; done; sleep {seconds:.2f}; kill -{signal} $pid; wait $pid")
        said = re.sub(r"^\[\d+\].*\n?", "", said, flags=re.MULTILINE)  # the shell's words on jobs
        self.assertNotIn("No such process", said)
        return status

    def killed(self):
        for number in range(KILLS):
            with self.subTest(number):
                self.forget()
                self.assertEqual(self.stopped("volume", "KILL", random.random() * 1.5), 128 + 9)
                if "manifest.json" in self.inside("ls -1A out out/tiny || true"):
                    self.refused("volume", "something is on it")
                else:
                    self.vprov("volume")
                self.assert_volumes("tiny")
                self.assert_whole()

    def killed_when_named(self):
        """The moment between the renaming of a volume and that of the directory; and the one after both."""
        self.forget()
        self.assertEqual(self.stopped("volume", "KILL", 0), 128 + 9)
        self.inside("lvrename --quiet vg0 tiny.vprov-unfinished tiny")
        (name, tag), = self.listed()
        self.assertEqual((name, tag[:17]), ("tiny", "vprov.unfinished:"))
        self.vprov("volume")
        self.assert_volumes("tiny")
        self.assert_whole()
        inode = self.inside("stat --format %i out/tiny")
        self.inside(f"lvchange --quiet --addtag vprov.unfinished:{inode}:/srv/lab/out/tiny vg0/tiny")
        self.refused("volume", "something is on it")
        self.assert_volumes("tiny")
        self.assert_whole()

    def physical_volume(self):
        self.refused("physical", "cannot write to '/dev/sda': it is in use:", "  /dev/sda is part of dm-0 (vg0-tiny)",
                     arguments=["--erase /dev/sda"])
        self.forget()
        self.refused("physical", "cannot write to '/dev/sda': something is on it:", "  LVM physical volume, UUID ")

    def array(self):
        # udev would assemble it again as soon as it is stopped
        self.inside("mkdir -p /run/udev/rules.d && ln -s /dev/null /run/udev/rules.d/64-md-raid-assembly.rules && udevadm control --reload")
        self.inside("mdadm --create --run --quiet --level=1 --assume-clean --raid-devices=2 --metadata=1.2 /dev/md0 /dev/sdc /dev/sdd 2>/dev/null")
        self.refused("member", "cannot write to '/dev/sdc': it is in use:", "  /dev/sdc is part of md0", arguments=["--erase /dev/sdc"])
        self.inside("mdadm --wait-clean /dev/md0; mdadm --stop --quiet /dev/md0 && udevadm settle")
        self.refused("member", "cannot write to '/dev/sdc': something is on it:", "  RAID member, linux_raid_member")
        self.vprov("member", "--erase /dev/sdc")
        self.assertEqual(self.inside("wipefs --no-act --noheadings --output TYPE /dev/sdc; e2fsck -fn /dev/sdc >&2").splitlines()[0], "ext4")
        self.inside("mdadm --stop --quiet --scan; mdadm --zero-superblock /dev/sdd; rm -r out")

    def partitions(self):
        """As in the article: root on the third and swap on the fifth partition of a disk that holds other things too."""
        self.inside("printf 'label: dos\\n1MiB 16MiB\\n17MiB 16MiB\\n33MiB 96MiB\\n129MiB - E\\n130MiB 32MiB\\n' | sfdisk --quiet /dev/sdb "
                    "&& udevadm settle && mkswap --quiet /dev/sdb1 2>/dev/null >&2")
        before = self.inside("sfdisk --dump /dev/sdb; sha256sum /dev/sdb1")
        self.refused("both", "vprov: cannot write two disks to '/dev/sdb' and '/dev/sdb5': they are one")
        self.vprov("partitions")
        self.assertEqual(self.inside("sfdisk --dump /dev/sdb; sha256sum /dev/sdb1"), before)
        self.assertEqual(self.inside("blkid -p -s TYPE -o value /dev/sdb3; blkid -p -s TYPE -o value /dev/sdb5"), "ext4\nswap")
        self.refused("whole", "  mbr partition table", "  partition 1, 16M at 1M: swap space", "  partition 3, 96M at 33M: ext4 file system")
        self.inside("swapon /dev/sdb1")
        self.refused("whole", "cannot write to '/dev/sdb': it is in use:", "  /dev/sdb1 is swap space in use", arguments=["--erase /dev/sdb"])
        self.inside("swapoff /dev/sdb1; rm -r out")

    def disk_taken_away(self):
        """While it is written: it is opened again and again, and its partitions' table is read after that."""
        status, said = self.console.run(
            f"{self.command('gone').replace('--quiet', '--json')} >events 2>said & pid=$!; until grep -q 'stage-started.*write' events || ! kill -0 $pid; do "
            "sleep 0.02; done; echo 1 > /sys/block/sdd/device/delete; wait $pid")
        self.assertEqual(status, DISK, said)
        last = self.inside("tail -n 1 events")
        self.assertIn("/dev/sdd", last)
        self.assertIn('"kind":"disk"', last)
        self.assertEqual(self.inside("ls -1A out"), "")
        self.refused("gone", "cannot use '/dev/sdd': there is no such device")


if __name__ == "__main__":
    if sys.argv[3:4] == ["--kills"]:
        KILLS = int(sys.argv[4])
        del sys.argv[3:5]
    vprov_under_test.main("root", "network", "gpg", "gpgv", "dpkg-deb", "mke2fs", "qemu-system-x86_64")
