#!/usr/bin/env python3
"""Devices and sizes of running guests, seen from inside: disks, cards, processors and memory come and go.

And the names that disks have on Xen, in the kernel's command line and in fstab.
"""

import json
import re

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import VprovTest, wait_until

RECIPE = """
name = "hot"
[system]
variant = "minbase"
include = ["iproute2", "udev", "systemd-sysv", "kmod"]
fstab = "device"
[system.kernel]
cmdline = "no_timer_check"  # a loaded machine is late with the timers of TCG, and kernels check theirs
[identity]
root_password = {{ random = true }}
[[disk]]
size = "1G"
filesystem = "ext4"
mount = "/"
guest = "{root}"
[[disk]]
size = "64M"
filesystem = "swap"
guest = "{swap}"
[domain]
type = "pvh"
memory = "384M"
maxmem = "512M"
vcpus = 1
maxvcpus = 2
"""


class HotPlugTest(VprovTest):
    def test_guests_for_xen(self):
        for root, swap, part in (("xvda1", "xvda2", self.check_devices), ("hda1", "hda2", None)):
            with self.subTest(root):
                self.assert_done(self.build(self.recipe(RECIPE.format(root=root, swap=swap))))
                self.run_guest(root, swap, part)
                self.assert_all_ended()

    def run_guest(self, root, swap, part):
        configuration = self.output / "hot/hot.cfg"
        text, count = re.subn(r"root=UUID=\S+", f"root=/dev/{root}", configuration.read_text())
        self.assertEqual(count, 1)
        configuration.write_text(text)
        self.assert_done(self.run_vprov("create", configuration))
        self.addCleanup(self.run_vprov, "destroy", "hot")
        user, password = (self.output / "hot/passwords").read_text().strip().split(": ")
        with GuestConsole([vprov_under_test.vprov, "console", "hot"], self.environment()) as console:
            console.log_in(user, password)
            self.check_names(console, root, swap)
            if part:
                part(console)
            self.assertEqual(console.detach(), 0)
        self.assert_done(self.run_vprov("destroy", "hot"))

    def inside(self, console, command):
        status, said = console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def becomes(self, console, command, wanted):
        """The guest's answer, once it is the one that is wanted; it takes a moment to notice a change."""
        answers = [None]

        def asked():
            answers[0] = console.run(command)[1]
            return answers[0] == wanted

        wait_until(asked, 120)
        self.assertEqual(answers[0], wanted, command)

    def check_names(self, console, root, swap):
        fstab = [line.split()[:3] for line in self.inside(console, "grep -v ^# /etc/fstab").splitlines()]
        self.assertIn([f"/dev/{root}", "/", "ext4"], fstab)
        self.assertIn([f"/dev/{swap}", "none", "swap"], fstab)
        self.assertIn(f"root=/dev/{root} ", self.inside(console, "cat /proc/cmdline"))
        self.assertEqual(self.inside(console, f"readlink -f /dev/{root} /dev/{swap}").split(), ["/dev/vda", "/dev/vdb"])
        self.becomes(console, "swapon --noheadings --show=NAME", "/dev/vdb")
        self.assertEqual(self.inside(console, "systemctl --failed --no-legend --plain"), "")

    def check_devices(self, console):
        for part in (self.check_disk, self.check_card, self.check_processors, self.check_memory, self.check_restart):
            with self.subTest(part.__name__):
                part(console)

    def check_disk(self, console):
        image = self.place / "data.img"
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        self.assert_done(self.run_vprov("block-attach", "hot", f"vdev=xvdb,target={image}"))
        self.becomes(console, "lsblk --noheadings --nodeps --output SIZE /dev/xvdb 2>&1", " 32M")
        self.inside(console, "mkfs.ext4 -q /dev/xvdb && mount /dev/xvdb /mnt && echo kept >/mnt/file && umount /mnt")
        listed = self.run_vprov("block-list", "hot").stdout.splitlines()
        self.assertEqual(listed[0].split(), ["Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path"])
        self.assertEqual(listed[3].split(), ["51728", "0", "51728", "4", "-1", "-1", str(image)])
        self.assert_done(self.run_vprov("block-detach", "hot", "xvdb"))
        self.becomes(console, "lsblk --noheadings --nodeps --output NAME", "vda\nvdb")
        self.assert_done(self.run_vprov("block-attach", "hot", "vdev=xvdb", f"target={image}"))
        self.becomes(console, "mount /dev/xvdb /mnt 2>&1 && cat /mnt/file && umount /mnt", "kept")

    def check_card(self, console):
        self.assert_done(self.run_vprov("network-attach", "hot", "mac=00:16:3e:00:00:77"))
        self.becomes(console, "ip -oneline link | grep -c 00:16:3e:00:00:77", "1")
        cards = json.loads(self.run_vprov("network-list", "--json", "hot").stdout)
        self.assertEqual([(card["devid"], card["mac"]) for card in cards], [(0, "00:16:3e:00:00:77")])
        self.assertRegex(self.run_vprov("network-list", "hot").stdout.splitlines()[1], r"^0 +0 +00:16:3e:00:00:77 .* vif\d+\.0$")
        self.assert_done(self.run_vprov("network-detach", "hot", "00:16:3E:00:00:77"))
        self.becomes(console, "ip -oneline link | grep -c 00:16:3e:00:00:77", "0")

    def check_processors(self, console):
        self.assertEqual(self.inside(console, "nproc"), "1")
        self.assert_done(self.run_vprov("vcpu-set", "hot", "2"))
        self.becomes(console, "echo 1 2>&- >/sys/devices/system/cpu/cpu1/online; nproc", "2")
        self.assertEqual(len(self.run_vprov("vcpu-list", "hot").stdout.splitlines()), 3)
        if "TCG" in json.loads(self.run_vprov("list", "--json", "hot").stdout)[0]["engine"]:
            self.assert_one_message(self.run_vprov("vcpu-set", "hot", "1"), vprov_under_test.HYPERVISOR, "without KVM")
        else:
            self.assert_done(self.run_vprov("vcpu-set", "hot", "1"))
            self.becomes(console, "nproc", "1")

    def total(self, console):
        return int(re.search(r"MemTotal: +(\d+) kB", self.inside(console, "cat /proc/meminfo")).group(1)) >> 10

    # Linux takes what its balloon has from the total.
    def check_memory(self, console):
        before = self.total(console)
        self.assertLess(before, 384)
        self.assert_done(self.run_vprov("mem-set", "hot", "256"))
        self.assertEqual(before - self.total(console), 128)
        self.assert_done(self.run_vprov("mem-set", "hot", "524288k"))
        self.assertEqual(self.total(console) - before, 128)
        self.assertEqual(json.loads(self.run_vprov("list", "--json", "hot").stdout)[0]["memory_mib"], 512)
        self.assert_one_message(self.run_vprov("mem-set", "hot", "513"), vprov_under_test.HYPERVISOR, "512 MiB at most")

    def check_restart(self, console):
        self.assert_done(self.run_vprov("mem-set", "hot", "320m"))
        console.type("systemctl reboot\n")
        console.wait_for(r"\[hot rebooted\]")
        user, password = (self.output / "hot/passwords").read_text().strip().split(": ")
        console.wait_for("login: $")
        console.log_in(user, password)
        self.assertEqual(self.inside(console, "mount /dev/xvdb /mnt && cat /mnt/file"), "kept")
        self.assertLess(self.total(console), 320)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64")
