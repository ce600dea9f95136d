#!/usr/bin/env python3
"""The main job on recipes/debian1.toml: built from the host's own mirror, booted, logged in to, shut down."""

import json
import re
import shutil
import subprocess
import tomllib

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import SOURCE, VprovTest

RECIPE_FILE = SOURCE / "recipes/debian1.toml"
STAGES = ["index", "resolve", "fetch", "unpack", "configure", "write", "personalise", "render", "launch"]
FILES = ["debian1.cfg", "initrd.img", "log", "manifest.json", "passwords", "root.img", "swap.img", "vmlinuz"]

XLUTIL_READER = r"""
#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    const char *text;
    long number;
    int count = 0;
    XLU_ConfigList *list;
    XLU_Config *config = xlu_cfg_init(stderr, argv[1]);
    if (argc != 2 || xlu_cfg_readfile(config, argv[1])) return 1;
    for (const char *const *key = (const char *const[]){"name", "type", "kernel", "ramdisk", "cmdline", 0}; *key; key++)
        if (!xlu_cfg_get_string(config, *key, &text, 0)) printf("%s=%s\n", *key, text);
    if (!xlu_cfg_get_long(config, "memory", &number, 0)) printf("memory=%ld\n", number);
    if (!xlu_cfg_get_long(config, "vcpus", &number, 0)) printf("vcpus=%ld\n", number);
    xlu_cfg_get_list(config, "disk", &list, &count, 0);
    for (int i = 0; i < count; i++) {
        libxl_device_disk disk;
        const char *spec = xlu_cfg_get_listitem(list, i);
        libxl_device_disk_init(&disk);
        if (xlu_disk_parse(config, 1, &spec, &disk)) return 1;
        printf("disk=%s %s %d\n", disk.vdev, disk.pdev_path, disk.format == LIBXL_DISK_FORMAT_RAW);
    }
    xlu_cfg_get_list(config, "vif", &list, &count, 0);
    for (int i = 0; i < count; i++) printf("vif=%s\n", xlu_cfg_get_listitem(list, i));
    return 0;
}
"""


class BootTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.built = cls("build_and_launch")
        cls.built.setUp()
        cls.addClassCleanup(cls.built.doCleanups)
        cls.built.build_and_launch()
        cls.recipe_data = tomllib.loads(RECIPE_FILE.read_text())

    def build_and_launch(self):
        self.addCleanup(self.run_vprov, "destroy", "debian1")
        # with every stage, whichever test was run before; packages may be there
        shutil.rmtree(self.cache / "layers", ignore_errors=True)
        run = self.build(RECIPE_FILE, "--launch", "--json", "--login-timeout", str(vprov_under_test.DEADLINE))
        self.assert_done(run)
        self.events = [json.loads(line) for line in run.stdout.splitlines()]
        self.directory = self.output / "debian1"

    def inside(self, console, command):
        status, said = console.run(command)
        self.assertEqual(status, 0, f"{command}: {said}")
        return said

    # The parts are one story, told in this order: an image is looked at when the guest no longer writes to it.
    def test_the_main_job(self):
        for part in (self.check_events, self.check_files, self.check_manifest, self.check_list, self.check_guest,
                     self.check_shutdown, self.check_images):
            with self.subTest(part.__name__):
                part()

    def check_events(self):
        events = self.built.events
        self.assertEqual([e["stage"] for e in events if e["event"] == "stage-started"], STAGES)
        self.assertEqual([e["stage"] for e in events if e["event"] == "stage-finished"], STAGES)
        self.assertLessEqual({e["event"] for e in events},
                             {"stage-started", "stage-finished", "progress", "warning", "finished"})
        last = events[-1]
        directory = str(self.built.directory)
        self.assertEqual(last, {"event": "finished", "name": "debian1", "directory": directory,
                                "configuration": f"{directory}/debian1.cfg", "password_file": f"{directory}/passwords"})
        launched = next(e for e in events if e["event"] == "stage-finished" and e["stage"] == "launch")
        self.assertRegex(launched["summary"], r"^login prompt after [0-9.]+ s, (TCG|KVM)")

    def check_files(self):
        directory = self.built.directory
        self.assertEqual(sorted(path.name for path in directory.iterdir()), FILES)
        self.assertEqual([path.name for path in self.built.output.iterdir()], ["debian1"])
        for name in ("passwords", "root.img", "swap.img"):  # the images hold password hashes and host keys
            self.assertEqual(f"{(directory / name).stat().st_mode & 0o777:04o}", "0600", name)
        root = (directory / "root.img").stat()
        self.assertEqual(root.st_size, 2 << 30)
        self.assertLess(root.st_blocks * 512, 1 << 30)
        self.assertEqual((directory / "swap.img").stat().st_size, 256 << 20)

    def check_manifest(self):
        manifest = json.loads((self.built.directory / "manifest.json").read_text())
        self.assertEqual([release["suite"] for release in manifest["releases"]],
                         ["bookworm", "bookworm-updates", "bookworm-security"])
        for release in manifest["releases"]:
            self.assertRegex(release["key"], r"^[0-9A-F]{40}$")
            self.assertTrue(release["date"])
        self.assertLessEqual({"openssh-server", "locales", "dpkg"}, {package["name"] for package in manifest["packages"]})
        for package in manifest["packages"]:
            self.assertRegex(package["sha256"], r"^[0-9a-f]{64}$")
        self.assertEqual([stage["name"] for stage in manifest["stages"]][:3], STAGES[:3])

    def check_list(self):
        domains = json.loads(self.built.run_vprov("list", "--json").stdout)
        self.assertEqual([(d["name"], d["memory_mib"], d["vcpus"]) for d in domains], [("debian1", 512, 2)])
        table = self.built.run_vprov("list").stdout.splitlines()
        self.assertEqual(table[0].split(), ["Name", "ID", "Mem", "VCPUs", "State", "Time(s)"])
        self.assertRegex(table[1], r"^debian1 +\d+ +512 +2 +[rbpscd-]{6} +\d+\.\d$")

    def check_guest(self):
        user, password = (self.built.directory / "passwords").read_text().strip().split(": ")
        self.assertEqual(user, "root")
        with GuestConsole([vprov_under_test.vprov, "console", "debian1"], self.built.environment()) as console:
            console.log_in(user, password)
            with self.subTest("system"):
                self.check_system(console)
            with self.subTest("identity"):
                self.check_identity(console)
            with self.subTest("disks"):
                self.check_disks(console)
            with self.subTest("network"):
                self.check_network(console)
            with self.subTest("packages"):
                self.check_packages(console)
            console.type("logout\n")
            console.wait_for("login: $")
            self.assertEqual(console.detach(), 0)

    def check_system(self, console):
        state = console.run("systemctl is-system-running --wait", vprov_under_test.DEADLINE)
        failed = console.run("systemctl --failed --no-legend --plain")
        self.assertEqual((failed, state), ((0, ""), (0, "running")))
        self.assertEqual(self.inside(console, "systemctl is-active ssh"), "active")

    def check_identity(self, console):
        identity = self.recipe_data["identity"]
        self.assertEqual(self.inside(console, "hostname"), identity["hostname"])
        self.assertEqual(self.inside(console, "cat /etc/hostname"), identity["hostname"])
        self.assertIn(f"127.0.1.1 {identity['hostname']}", re.sub(r"[ \t]+", " ", self.inside(console, "cat /etc/hosts")))
        self.assertEqual(self.inside(console, "readlink -f /etc/localtime"), f"/usr/share/zoneinfo/{identity['timezone']}")
        self.assertRegex(self.inside(console, "date +%Z"), r"^CES?T$")
        self.assertEqual(self.inside(console, "echo $LANG"), identity["locale"])
        self.assertEqual(self.inside(console, "locale 2>&1 | grep -c 'Cannot set'; true"), "0")
        self.assertRegex(self.inside(console, "cat /etc/machine-id"), r"^[0-9a-f]{32}$")

    def check_disks(self, console):
        source, kind = self.inside(console, "findmnt --noheadings --output SOURCE,FSTYPE /").split()
        self.assertEqual(kind, "ext4")
        uuid = self.inside(console, f"blkid -s UUID -o value {source}")
        fstab = [line.split() for line in self.inside(console, "cat /etc/fstab").splitlines() if not line.startswith("#")]
        self.assertIn([f"UUID={uuid}", "/", "ext4"], [line[:3] for line in fstab])
        self.assertEqual(len(fstab), 2)
        swap = self.inside(console, "swapon --noheadings --show=UUID,SIZE").split()
        self.assertEqual([line[0] for line in fstab if line[2] == "swap"], [f"UUID={swap[0]}"])
        self.assertEqual(swap[1], "256M")
        self.assertEqual(self.inside(console, "findmnt --verify >/dev/null; echo $?"), "0")

    def check_network(self, console):
        mac = self.recipe_data["network"][0]["mac"]
        self.assertIn(f"link/ether {mac} ", self.inside(console, "ip -oneline link show up"))
        if "bridge 'bridge0' does not exist" in str(self.built.events):  # then QEMU's own network answers DHCP
            self.assertIn(" 10.0.2.15/24 ", self.inside(console, "ip -oneline -4 address show scope global"))
            self.assertEqual(self.inside(console, "cat /etc/resolv.conf"), "nameserver 10.0.2.3")  # and none of the host

    def check_packages(self, console):
        for command in ("dpkg --audit", "apt-get -qq check", "dpkg --verify"):
            self.assertEqual(console.run(command), (0, ""), command)
        suites = [line.split()[-2] for line in self.inside(console, "cat /etc/apt/sources.list").splitlines()]
        self.assertEqual(suites, ["bookworm", "bookworm-updates", "bookworm-security"])

    def check_shutdown(self):
        self.assert_done(self.built.run_vprov("shutdown", "--wait", "debian1"))
        self.assertEqual(json.loads(self.built.run_vprov("list", "--json").stdout), [])
        self.built.assert_all_ended()

    def check_images(self):
        image = self.built.directory / "root.img"
        check = subprocess.run(["e2fsck", "-f", "-n", image], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertNotIn("recovering journal", check.stdout)

    def test_xen_reads_the_configuration(self):
        source, reader = self.place / "reader.c", self.place / "reader"
        source.write_text(XLUTIL_READER)
        compiled = subprocess.run(["cc", "-o", reader, source, "-lxlutil", "-lxenlight"], capture_output=True, text=True,
                                  check=False)
        if compiled.returncode != 0:
            self.skipTest("Xen's parser is not installed (Debian: libxen-dev)")
        directory = self.built.directory
        run = subprocess.run([reader, directory / "debian1.cfg"], capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        said = run.stdout.splitlines()
        uuids = {disk["mount"]: disk["uuid"] for disk in json.loads((directory / "manifest.json").read_text())["disks"]}
        cmdline = next(line for line in said if line.startswith("cmdline="))
        self.assertIn(f"root=UUID={uuids['/']} ", cmdline)
        said.remove(cmdline)
        self.assertEqual(said, ["name=debian1", "type=pvh", f"kernel={directory}/vmlinuz", f"ramdisk={directory}/initrd.img",
                                "memory=512", "vcpus=2", f"disk=xvda1 {directory}/root.img 1",
                                f"disk=xvda2 {directory}/swap.img 1", "vif=mac=aa:00:00:12:23:34,bridge=bridge0"])


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "e2fsck")
