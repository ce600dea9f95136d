#!/usr/bin/env python3
"""Guests that boot fast: recipes/debian1.toml with system.boot = "fast", logged in to, looked at, and shut down by its power
button; other file systems, found in other ways; and a root device that is not there."""

import re
import subprocess

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import SOURCE, VprovTest

RECIPE_FILE = SOURCE / "recipes/debian1.toml"
PARTUUID = "0d3e2c1b-5a4f-4c3d-8e7f-6a5b4c3d2e1f"
# What a loaded machine, which is late with the timers of TCG, has in the guest's journal.
LATE = r"hrtimer|clocksource|[Cc]locksource|TSC|rcu|soft lockup|timed out"

# A loaded machine is late with the timers of TCG, which kernels check, and with the devices that systemd waits for.
CMDLINE = "no_timer_check systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900"
SETTINGS = ["--set", "name=fast1", "--set", 'system.boot="fast"', "--set", f'system.kernel.cmdline="{CMDLINE}"']

# The packages of boot_matrix_test.py, so that one layer of the cache serves both.
RECIPE = """
name = "fast-{filesystem}"
[system]
variant = "minbase"
boot = "fast"
include = ["xfsprogs", "btrfs-progs", "fdisk", "dosfstools"]
[identity]
root_password = {{ random = true }}
[system.kernel]
cmdline = "{cmdline}"
[domain]
root = "{root}"
[[disk]]
name = "root"
size = "2G"
{disk}
"""
GUESTS = {"xfs": ("LABEL=my-root", 'filesystem = "xfs"\nmount = "/"\nlabel = "my-root"'),
          "btrfs": (f"PARTUUID={PARTUUID}", 'table = "gpt"\n[[disk.partition]]\nsize = "rest"\nfilesystem = "btrfs"\n'
                    f'mount = "/"\npartuuid = "{PARTUUID}"')}


class FastBootTest(VprovTest):
    def build_fast(self, recipe, name, *settings):
        self.addCleanup(self.run_vprov, "destroy", name)
        self.assert_done(self.build(recipe, *settings))
        self.directory = self.output / name

    def logged_in(self, name):
        self.assert_done(self.run_vprov("create", self.directory / f"{name}.cfg"))
        console = GuestConsole([vprov_under_test.vprov, "console", name], self.environment())
        self.addCleanup(console.__exit__)
        user, password = (self.directory / "passwords").read_text().strip().split(": ")
        console.log_in(user, password)
        return console

    def inside(self, console, command):
        status, said = console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def check_health(self, console):
        state = console.run("systemctl is-system-running --wait", vprov_under_test.DEADLINE)
        failed = console.run("systemctl --failed --no-legend --plain")
        self.assertEqual((failed, state), ((0, ""), (0, "running")))
        bad = self.inside(console, f"dmesg --level=emerg,alert,crit,err | grep -Ev '{LATE}'; true")
        self.assertEqual(bad, "")
        self.assertEqual(self.inside(console, "findmnt --noheadings --output OPTIONS / | grep -o '^rw'"), "rw")
        # what modules are asked for is still answered
        self.inside(console, "modprobe loop && test -b /dev/loop0 && test -c /dev/net/tun")

    def test_debian1(self):
        self.build_fast(RECIPE_FILE, "fast1", *SETTINGS)
        self.assertLess((self.directory / "initrd.img").stat().st_size, 4 << 20)
        console = self.logged_in("fast1")
        self.check_health(console)
        with self.subTest("network"):
            self.check_network(console)
        with self.subTest("switched off"):
            self.check_switched_off(console)
        with self.subTest("initrds"):
            self.inside(console, "test -s /boot/initrd.img-$(uname -r) && command -v update-initramfs")
        with self.subTest("file systems"):
            self.check_file_systems(console)
        console.type("logout\n")
        console.wait_for("login: $")
        self.assertEqual(console.detach(), 0)
        self.assert_done(self.run_vprov("shutdown", "--wait", "fast1"))  # by the power button
        self.assert_all_ended()
        check = subprocess.run(["e2fsck", "-f", "-n", self.directory / "root.img"], capture_output=True, text=True,
                               check=False)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def check_network(self, console):
        self.inside(console, "systemctl is-active ssh")
        self.assertIn("aa:00:00:12:23:34", self.inside(console, "ip -oneline link show lan0"))
        if "bridge0" not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=False).stdout:
            wait = "for i in $(seq 600); do ip -4 addr show lan0 | grep -q 'inet 10.0.2.15/24' && break; sleep 1; done"
            self.inside(console, wait)
            self.assertIn(" 10.0.2.15/24 ", self.inside(console, "ip -oneline -4 address show scope global"))
            self.inside(console, "ping -c 1 -W 60 10.0.2.2")

    def check_switched_off(self, console):
        for unit in ("systemd-pstore.service", "sys-kernel-debug.mount", "getty@tty1.service"):
            self.assertEqual(console.run(f"systemctl is-enabled {unit}")[1], "masked")
        loaded = self.inside(console, "cat /proc/modules")
        for module in ("ata_piix", "aesni_intel", "psmouse"):
            self.assertNotRegex(loaded, rf"(?m)^{module} ")
        self.inside(console, "modprobe ata_piix")  # by its name it is there
        # of the processors' modules those come that something asks for
        self.inside(console, "modprobe crypto-ctr\\(aes\\) 2>/dev/null; modprobe -n --first-time aesni_intel")

    def check_file_systems(self, console):
        self.inside(console, "test -e /run/initramfs/fsck-root")
        self.assertEqual(self.inside(console, "systemctl show -P ConditionResult systemd-fsck-root"), "no")
        self.assertEqual(self.inside(console, "swapon --noheadings --show=SIZE"), "256M")
        self.inside(console, "findmnt --verify >/dev/null")
        self.assertEqual(self.inside(console, "stat -f -c %T /run /dev").split()[0], "tmpfs")

    def test_other_file_systems_and_names_of_root(self):
        for filesystem, (root, disk) in GUESTS.items():
            with self.subTest(filesystem):
                name = f"fast-{filesystem}"
                recipe = self.recipe(RECIPE.format(cmdline=CMDLINE, filesystem=filesystem, root=root, disk=disk), f"{name}.toml")
                self.build_fast(recipe, name)
                console = self.logged_in(name)
                self.check_health(console)
                self.assertEqual(self.inside(console, "findmnt --noheadings --output FSTYPE /"), filesystem)
                self.assertIn(f"root={root} ", self.inside(console, "cat /proc/cmdline"))
                self.assertEqual(console.detach(), 0)
                self.assert_done(self.run_vprov("destroy", name))

    def test_a_root_device_that_is_not_there(self):
        self.build_fast(RECIPE_FILE, "fast1", *SETTINGS)
        configuration = self.directory / "fast1.cfg"
        other = "0d3e2c1b-0000-4000-8000-000000000001"
        configuration.write_text(re.sub(r"root=UUID=[0-9a-f-]+", f"root=UUID={other}", configuration.read_text()))
        with GuestConsole([vprov_under_test.vprov, "create", "-c", str(configuration)], self.environment()) as console:
            console.wait_for(rf"vprov-init: cannot find the root device UUID={other} after 30 s; there is [^\n]*vda")
            console.wait_for("Kernel panic - not syncing: Attempted to kill init!")


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "e2fsck")
