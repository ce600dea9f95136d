#!/usr/bin/env python3
"""A template, of which two machines are copied: each boots with cards of its own, and has keys and a name of its own.

    first_boot_test.py VPROV CACHE                with systemd-networkd
    first_boot_test.py VPROV CACHE RENDERER...    with others: ifupdown, netplan
"""

import json
import os
import shutil
import sys

import vprov_under_test
from guest_console import ConsoleError, GuestConsole
from vprov_under_test import VprovTest

RENDERERS = ["ifupdown", "netplan", "networkd"]
WANTED = ["networkd"]

# QEMU's network gives 10.0.2.15 to whoever asks.
RECIPE = """
name = "many"
[system]
variant = "minbase"
include = ["iproute2", "isc-dhcp-client", "openssh-server"]
[system.kernel]
cmdline = "no_timer_check"  # a loaded machine is late with the timers of TCG, and kernels check theirs
[identity]
template = true
network_renderer = "{renderer}"
root_password = {{ random = true }}
[[disk]]
name = "root"
size = "1G"
filesystem = "ext4"
mount = "/"
[[network]]
name = "wan"
[[network]]
name = "trunk"
mac = "00:16:3e:00:00:aa"
address = "none"
[[network]]
name = "store"
address = ["203.0.113.9/24"]
[[network]]
vlan = 10
parent = "trunk"
address = ["198.51.100.5/24", "2001:db8:a::5/64"]
"""
FINGERPRINTS = "for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f $key | cut -d ' ' -f 2; done"


class FirstBootTest(VprovTest):
    def test_copies_of_a_template(self):
        for renderer in WANTED:
            with self.subTest(renderer):
                self.check_copies(renderer)

    def check_copies(self, renderer):
        recipe = self.recipe(RECIPE.format(renderer=renderer))
        self.assert_done(self.build(recipe))
        built = self.output / "many"
        self.assertNotIn("ssh_host_keys", json.loads((built / "manifest.json").read_text()))
        first, second = self.boot(built, 1), self.boot(built, 2)
        self.assertEqual(set(first) & set(second), set(), "copies share what only one may have")

    def boot(self, built, number):
        """Returns the machine-id and the keys' fingerprints of a copy."""
        image = self.place / f"copy{number}.img"
        shutil.copy(built / "root.img", image)
        password = (built / "passwords").read_text().strip().removeprefix("root: ")
        with GuestConsole(self.qemu(built, image, number), os.environ, vprov_under_test.DEADLINE) as console:
            console.log_in("root", password)
            unique = self.check_copy(console, number)
            console.type("systemctl poweroff\n")
            self.assertRaisesRegex(ConsoleError, "the console ended", console.wait_for, "(?!)")
        if number == 1:
            with GuestConsole(self.qemu(built, image, number), os.environ, vprov_under_test.DEADLINE) as console:
                console.log_in("root", password)
                self.check_that_it_stays(console, unique)
        image.unlink()
        return unique

    # Without "quiet" the kernel speaks of its VLANs when the prompt is there.
    # Cards are in the order of their places on the bus, which is that of neither their addresses nor their names.
    @staticmethod
    def qemu(built, image, number):
        uuid = json.loads((built / "manifest.json").read_text())["disks"][0]["uuid"]
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768", "-nodefaults",
                "-display", "none", "-no-reboot", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
                "-device", "virtio-rng-pci", "-drive", f"file={image},format=raw,if=virtio",
                "-kernel", built / "vmlinuz", "-initrd", built / "initrd.img",
                "-append", f"root=UUID={uuid} ro quiet console=ttyS0 no_timer_check hostname=copy{number}.example.org"]
        for slot, mac in ((10, f"52:54:00:00:0{number}:03"), (11, f"52:54:00:00:0{number}:01"), (9, "00:16:3e:00:00:aa")):
            argv += ["-netdev", f"user,id=net{slot}", "-device", f"virtio-net-pci,netdev=net{slot},mac={mac},addr={slot:#x}"]
        return [str(word) for word in argv]

    def inside(self, console, command):
        status, said = console.run(command, vprov_under_test.DEADLINE)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    def check_copy(self, console, number):
        self.assertEqual(console.run("systemctl is-system-running --wait", vprov_under_test.DEADLINE), (0, "running"),
                         console.run("systemctl --failed --no-legend --plain; journalctl -b -u vprov-first-boot -o cat"))
        self.assertEqual(self.inside(console, "systemctl is-active ssh vprov-first-boot"), "active\nactive")
        self.assertEqual(self.inside(console, "hostname; hostname --fqdn"), f"copy{number}\ncopy{number}.example.org")
        self.check_network(console, number)
        machine = self.inside(console, "cat /etc/machine-id")
        self.assertRegex(machine, r"^[0-9a-f]{32}$")
        self.assertEqual(self.inside(console, "findmnt /etc/machine-id || echo kept"), "kept")
        keys = self.inside(console, FINGERPRINTS).split()
        self.assertEqual(len(keys), 3)
        served = self.inside(console, "ssh-keyscan -T 300 127.0.0.1 2>/dev/null | ssh-keygen -l -f - | cut -d ' ' -f 2")
        self.assertEqual(sorted(served.split()), sorted(keys))
        self.assertEqual(self.inside(console, "ls /var/lib/vprov 2>&1 || true"),
                         "ls: cannot access '/var/lib/vprov': No such file or directory")
        return [machine, *keys]

    def check_network(self, console, number):
        links = json.loads(self.inside(console, "ip -j address"))
        found = {link["ifname"]: (link["address"], [f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"]
                                                    if one["scope"] == "global" and one["local"][:5] != "fec0:"])
                 for link in links if link["ifname"] != "lo"}
        self.assertEqual(found, {
            "wan": (f"52:54:00:00:0{number}:03", ["10.0.2.15/24"]),
            "store": (f"52:54:00:00:0{number}:01", ["203.0.113.9/24"]),
            "trunk": ("00:16:3e:00:00:aa", []),
            "trunk.10": ("00:16:3e:00:00:aa", ["198.51.100.5/24", "2001:db8:a::5/64"])})
        self.assertRegex(self.inside(console, "ip route show default"), r"^default via 10\.0\.2\.2 dev wan ")

    def check_that_it_stays(self, console, unique):
        self.assertEqual(console.run("systemctl is-system-running --wait", vprov_under_test.DEADLINE), (0, "running"))
        self.check_network(console, 1)
        self.assertEqual(self.inside(console, "hostname; hostname --fqdn"), "copy1\ncopy1.example.org")
        self.assertEqual([self.inside(console, "cat /etc/machine-id"), *self.inside(console, FINGERPRINTS).split()], unique)
        self.assertEqual(self.inside(console, "systemctl is-active vprov-first-boot || true"), "inactive")


if __name__ == "__main__":
    if sys.argv[3:]:
        WANTED = sys.argv[3:]
        if unknown := sorted(set(WANTED) - set(RENDERERS)):
            sys.exit(f"cannot try {', '.join(unknown)}: known are {', '.join(RENDERERS)}")
        del sys.argv[3:]
    vprov_under_test.main("root", "network", "qemu-system-x86_64")
