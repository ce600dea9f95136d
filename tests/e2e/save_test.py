#!/usr/bin/env python3
"""A real guest at work is saved and restored: its memory, its processes and its file system go on as if nothing had been,
and a disk that was written to meanwhile is noticed. Then the same with a snapshot inside a qcow2 disk."""

import json
import re
import subprocess

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import HYPERVISOR, VprovTest

RECIPE = """
name = "saved"
[system]
variant = "minbase"
include = ["systemd-sysv", "udev"]
updates = false
security = false
[identity]
root_password = { random = true }
[[disk]]
size = "1G"
format = "qcow2"
filesystem = "ext4"
mount = "/"
[domain]
memory = "256M"
vcpus = 2
"""
# Reads what it wrote, for ever: each pass is a line "ok", or one that says that the bytes are others.
WORK = ("dd if=/dev/urandom of=/root/data bs=1M count=8 2>/dev/null; md5sum /root/data > /root/sum; sync; "
        "(while :; do echo 1 > /proc/sys/vm/drop_caches; md5sum --status -c /root/sum && echo ok || echo BAD; done "
        ">> /root/passes 2>&1) &")


class SaveTest(VprovTest):
    def setUp(self):
        super().setUp()
        self.assert_done(self.build(self.recipe(RECIPE)))
        self.directory = self.output / "saved"
        self.file = self.place / "saved.save"
        self.addCleanup(self.run_vprov, "destroy", "saved")
        self.assert_done(self.run_vprov("create", self.directory / "saved.cfg"))

    def console(self):
        return GuestConsole([vprov_under_test.vprov, "console", "saved"], self.environment())

    def passes(self, console):
        """How often the guest has read its bytes; more than before, and never others."""
        status, said = console.run("sleep 2; grep -c ok /root/passes; grep -c BAD /root/passes")
        good, bad = map(int, said.split())
        self.assertEqual(bad, 0)
        return good

    def inside(self, console, command):
        status, said = console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def test_a_guest_at_work(self):
        user, password = (self.directory / "passwords").read_text().strip().split(": ")
        with self.console() as console:
            console.wait_for("login: $")
            console.log_in(user, password)
            self.inside(console, WORK)
            boot = self.inside(console, "cat /proc/sys/kernel/random/boot_id")
            before = self.passes(console)
        self.assert_done(self.run_vprov("save", "saved", self.file))
        self.assertEqual(json.loads(self.run_vprov("list", "--json").stdout), [])
        self.assert_all_ended()
        self.check_that_another_disk_is_noticed()
        self.assert_done(self.run_vprov("restore", self.file))
        with self.console() as console:  # the shell is still logged in
            console.wait_for("Connected to saved.*\n")
            self.inside(console, "true")  # the first line's echo comes twice: from the terminal and from the shell
            self.assertEqual(self.inside(console, "cat /proc/sys/kernel/random/boot_id"), boot)
            after = self.passes(console)
            self.assertGreater(after, before)
            self.check_snapshot(console, after)
            self.assertEqual(self.inside(console, "dmesg --level=emerg,alert,crit,err | grep -v -e blacklist -e RETBleed; true"), "")
            self.inside(console, "kill %1; sync")
            console.type("poweroff\n")
            console.status_at_end()
        self.assert_all_ended()
        self.check_image()

    def check_that_another_disk_is_noticed(self):
        image = self.directory / "root.qcow2"
        with open(image, "r+b") as disk:
            first = disk.read(4)
            disk.seek(0)
            disk.write(first)
        run = self.run_vprov("restore", self.file)
        self.assert_failed_so(run, f"its disk '{image}' has changed since it was saved: it was written to at ")
        # what was written is what was there: this test may say so, and nobody else
        self.assert_done(self.run_vprov("restore", "--paused", "--force", self.file))
        self.assert_done(self.run_vprov("save", "saved", self.file))

    def assert_failed_so(self, run, words):
        self.assertEqual(run.returncode, HYPERVISOR, run.stderr)
        self.assertIn(words, run.stderr)
        self.assertEqual(json.loads(self.run_vprov("list", "--json").stdout), [])

    def check_snapshot(self, console, passes):
        self.inside(console, "echo before > /root/moment; sync")
        self.assert_done(self.run_vprov("snapshot", "create", "saved", "moment"))
        self.inside(console, "echo after > /root/moment; sync")
        listed = self.run_vprov("snapshot", "list", "saved").stdout.splitlines()
        self.assertEqual(listed[0].split(), ["Name", "Memory(MiB)", "Taken", "Guest(s)"])
        self.assertTrue(re.match(r"moment +\d+\.\d  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+\.\d$", listed[1]), listed)
        self.assert_done(self.run_vprov("snapshot", "revert", "saved", "moment"))
        self.assertEqual(self.inside(console, "cat /root/moment"), "before")
        self.assertGreaterEqual(self.passes(console), passes)
        self.assert_done(self.run_vprov("snapshot", "delete", "saved", "moment"))
        self.assertEqual(len(self.run_vprov("snapshot", "list", "saved").stdout.splitlines()), 1)

    def check_image(self):
        image, raw = self.directory / "root.qcow2", self.place / "root.img"
        check = subprocess.run(["qemu-img", "check", image], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)
        check = subprocess.run(["e2fsck", "-f", "-n", raw], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "qemu-img", "e2fsck")
