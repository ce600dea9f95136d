#!/usr/bin/env python3
"""Clones of a guest that has booted: what only one machine may have is the clone's own, they last like any other domain,
and a command that fails, is stopped or killed leaves none."""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import DISK, HYPERVISOR, INTERRUPTED, USAGE, VprovTest, wait_until

RECIPE = """
name = "base1"
[system]
variant = "minbase"
include = ["systemd-sysv", "udev", "openssh-server", "ifupdown", "isc-dhcp-client", "iproute2"]
updates = false
security = false
agent = true
boot = "fast"
[identity]
root_password = { random = true }
[[disk]]
size = "1G"
filesystem = "ext4"
mount = "/"
[[network]]
address = "dhcp"
[[network]]
address = "10.0.3.9/24"
[domain]
type = "pvh"
memory = "256M"
vcpus = 1
"""
FACTS = {
    "hostname": "hostname",
    "name in /etc/hostname": "cat /etc/hostname",
    "machine-id": "cat /etc/machine-id",
    "boot-id": "cat /proc/sys/kernel/random/boot_id",
    "MAC address": "cat /sys/class/net/lan0/address",
    "link": "grep MACAddress /etc/systemd/network/10-lan0.link",
    "MAC address of the second": "cat /sys/class/net/lan1/address",
    "ed25519": "cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub",
    "rsa": "cut -d ' ' -f 2 /etc/ssh/ssh_host_rsa_key.pub",
    "random": "head -c 16 /dev/urandom | od -An -tx1",
}
KILLS = 9


class TemplateTest(VprovTest):
    def setUp(self):
        super().setUp()
        self.assert_done(self.build(self.recipe(RECIPE)))
        self.password = (self.output / "base1/passwords").read_text().strip().removeprefix("root: ")
        self.template = self.place / "template"
        self.addCleanup(self.destroy_all)

    def destroy_all(self):
        for name in self.running():
            self.run_vprov("destroy", name)

    def running(self):
        return [domain["name"] for domain in json.loads(self.run_vprov("list", "--json").stdout)]

    def clone(self, name, *arguments):
        return self.run_vprov("create", "--from", self.template, name, "--output", self.output, *arguments)

    def console(self, name):
        return GuestConsole([vprov_under_test.vprov, "console", name], self.environment())

    def ask(self, name, commands):
        """What each prints, by its key."""
        with self.console(name) as console:
            console.log_in("root", self.password)
            said = {key: console.run(command) for key, command in commands.items()}
            console.type("exit\n")
            console.wait_for("login: $")
        for key, (status, text) in said.items():
            self.assertEqual(status, 0, f"{key}: {text}")
        return {key: text.strip() for key, (_, text) in said.items()}

    # One template is made and used by all parts, told in this order.
    def test_clones(self):
        self.assert_one_message(self.clone("web1"), HYPERVISOR, "it is not a directory that 'vprov template' has made")
        self.check_stopped_template()
        self.check_killed_template()
        self.check_full_disk()
        made = self.run_vprov("template", "base1", self.template, "--output", self.output)
        self.assert_done(made)
        self.assertRegex(made.stdout, r"a template with \d+ MiB of memory; a clone: vprov create --from ")
        self.assertEqual(self.running(), [])
        self.assertEqual(list(self.place.glob(".vprov-template-*")), [])
        for part in (self.check_refusals, self.check_identities, self.check_address, self.check_full_disk_of_clone,
                     self.check_kills, self.check_stop, self.check_damage):
            part()
            print(f"  {part.__name__.removeprefix('check_')}", flush=True)

    def check_stopped_template(self):
        """Ctrl-C while the guest boots."""
        argv = [vprov_under_test.vprov, "template", "base1", self.template, "--output", self.output]
        process = subprocess.Popen(argv, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(wait_until(lambda: self.running() == ["base1"], 120))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assert_all_ended()
        self.assertEqual([path.name for path in self.place.iterdir() if "template" in path.name], [])

    def check_killed_template(self):
        """Its guest ends with it, whenever that is; the next one removes its files."""
        argv = [vprov_under_test.vprov, "template", "base1", self.template, "--output", self.output]
        for number, seconds in enumerate((0.5, 3, 8)):
            process = subprocess.Popen(argv, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if number:
                self.assertTrue(wait_until(lambda: self.running() == ["base1"], 120))
            time.sleep(seconds)
            process.kill()
            process.communicate()
            self.assertTrue(wait_until(lambda: self.running() == [], 30))
            self.assert_all_ended()

    def check_full_disk(self):
        """Before its memory is written, and while its guest boots."""
        files = [self.output / "base1" / name for name in ("root.img", "vmlinuz", "initrd.img")]
        room = sum(file.stat().st_blocks * 512 for file in files) + (16 << 20)
        for fill, stage, status, message in (
                (":", "keeping its memory", DISK, "cannot write the guest's memory: No space left on device"),
                ("sleep 3; dd if=/dev/zero of=fill bs=64k 2>/dev/null", "booting it", HYPERVISOR,
                 "it does not come up: it stands still, for the host has no room for what it writes to a disk")):
            script = (f'mkdir -p full && mount -t tmpfs -o size={room} tmpfs full && cd full && '
                      f'{{ "$@" & process=$!; {fill}; wait $process; }}; status=$?; rm -f fill; ls -A; exit $status')
            run = self.run_vprov("template", "base1", "made", "--output", self.output,
                                 prefix=["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            self.assertIn(f"vprov: cannot make a template of 'base1': {message}", run.stderr)
            self.assertEqual((run.returncode, run.stdout.splitlines()[-1]), (status, f"base1: {stage}"))  # and no file
            self.assertEqual(self.running(), [])
            self.assert_all_ended()

    def check_refusals(self):
        again = self.run_vprov("template", "base1", self.template, "--output", self.output)
        self.assert_one_message(again, HYPERVISOR, "cannot make a template of 'base1'", "is there already")
        for arguments, words in ((["memory=512"], "another size of memory"), (["vif=[]"], "another number of network"),
                                 (["--address", "10.0.2.77"], "an address with its prefix is such as"),
                                 (["--gateway", "10.0.2.2"], "--gateway without --address"), (["--paused"], "--from")):
            run = self.clone("web1", *arguments)
            self.assertEqual(run.returncode, USAGE, run.stderr)
            self.assertIn(words, run.stderr)
        restored = self.run_vprov("restore", self.template / "state")
        self.assert_one_message(restored, HYPERVISOR, "it is a template's (vprov create --from DIRECTORY NAME)")
        self.assertFalse((self.output / "web1").exists())

    def check_identities(self):
        """Of two clones that run at once; then of one that boots, and of one that is saved and restored."""
        self.assert_done(self.clone("web1", "--wait-network"))
        self.assert_done(self.clone("web2", "--hostname", "db2", "on_crash=restart"))
        self.assert_one_message(self.clone("web2"), HYPERVISOR, "a domain named 'web2' is running")
        self.check_memory("web1", "web2")
        facts = {name: self.ask(name, FACTS) for name in ("web1", "web2")}
        self.assertEqual(facts["web1"]["hostname"], "web1")
        self.assertEqual(facts["web2"]["hostname"], "db2")
        for key in FACTS:
            self.assertNotEqual(facts["web1"][key], facts["web2"][key], key)
        for name in ("web1", "web2"):
            text = (self.output / f"{name}/{name}.cfg").read_text()
            self.assertLess(text.index(facts[name]["MAC address"]), text.index(facts[name]["MAC address of the second"]))
            self.assertEqual(facts[name]["link"], f"MACAddress={facts[name]['MAC address']}")
            self.check_health(name, facts[name]["hostname"])
        self.assertIn('on_crash = "restart"', (self.output / "web2/web2.cfg").read_text())
        saved = self.place / "web2.save"
        self.assert_done(self.run_vprov("save", "web2", saved))
        self.assert_done(self.run_vprov("restore", saved))
        self.assertEqual(self.stable(self.ask("web2", FACTS)), self.stable(facts["web2"]))
        self.assert_done(self.run_vprov("shutdown", "-w", "web1"))
        self.assert_done(self.run_vprov("create", self.output / "web1/web1.cfg"))
        with self.console("web1") as console:
            console.wait_for_login()
        after = self.ask("web1", FACTS)
        self.assertNotEqual(after["boot-id"], facts["web1"]["boot-id"])
        del after["boot-id"], facts["web1"]["boot-id"]
        self.assertEqual(self.stable(after), self.stable(facts["web1"]))
        self.destroy_all()

    def check_memory(self, *names):
        """They have the same pages, but for those that they have written to."""
        files = set()
        for name in names:
            text = pathlib.Path(f"/proc/{self.record(name)['qemu']['pid']}/smaps").read_text()
            file, counts = re.search(r"(?m)^\S+ \S+ \S+ (\S+ \d+) +/memfd:template-ram.*\n((?:\w+: .*\n)+)", text).groups()
            files.add(file)
            kilobytes = {key: int(value) for key, value in re.findall(r"(?m)^(\w+): +(\d+) kB$", counts)}
            self.assertEqual(kilobytes["Size"], 256 << 10)
            self.assertGreater(kilobytes["Shared_Dirty"], 20 << 10, kilobytes)  # as pages of a memfd are
            self.assertLess(kilobytes["Private_Dirty"], 100 << 10, kilobytes)
        self.assertEqual(len(files), 1)

    @staticmethod
    def stable(facts):
        return {key: value for key, value in facts.items() if key != "random"}

    def check_health(self, name, hostname):
        said = self.ask(name, {
            "clock": "date +%s", "address": "ip -4 -br address show lan0", "second": "ip -4 -br address show lan1",
            "hosts": "cat /etc/hosts",
            "failed": "systemctl --failed --plain --no-legend", "journal": "journalctl -b --no-pager | tail -n 3",
            "key": "ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | cut -d ' ' -f 3",
            "own key": FACTS["ed25519"]})
        self.assertLess(abs(int(said["clock"]) - time.time()), 60)
        self.assertIn("10.0.2.15/24", said["address"])
        self.assertIn("10.0.3.9/24", said["second"])
        self.assertRegex(said["hosts"], rf"(?m)^10\.0\.3\.9\s+{hostname}$")
        self.assertNotIn("base1", said["hosts"])
        self.assertEqual(said["failed"], "")
        self.assertIn(hostname, said["journal"])
        self.assertEqual(said["key"], said["own key"])

    def check_address(self):
        self.assert_done(self.clone("web3", "--address", "10.0.2.77/24", "--gateway", "10.0.2.2", "--wait-network"))
        said = self.ask("web3", {"address": "ip -4 -br address show lan0", "route": "ip -4 route show default",
                                 "file": "cat /etc/network/interfaces"})
        self.assertIn("10.0.2.77/24", said["address"])
        self.assertIn("via 10.0.2.2", said["route"])
        self.assertIn("iface lan0 inet static", said["file"])
        self.destroy_all()

    def check_full_disk_of_clone(self):
        script = 'mkdir -p full && mount -t tmpfs -o size=100k tmpfs full && "$@"; status=$?; ls -A full; exit $status'
        run = self.run_vprov("create", "--from", self.template, "web4", "--output", "full",
                             prefix=["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        self.assert_one_message(run, HYPERVISOR, "it stands still, for the host has no room for what it writes to a disk")
        self.assertEqual(self.running(), [])

    def start_clone(self, name):
        argv = [vprov_under_test.vprov, "create", "--from", self.template, name, "--output", self.output]
        return subprocess.Popen(argv, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def check_kills(self):
        """The domain is not there, or there with all that is its own; where the command lives on, as it says."""
        generator = random.Random(1)
        for number in range(KILLS):
            name, victim = f"killed{number}", ("command", "supervisor", "qemu")[number % 3]
            process = self.start_clone(name)
            time.sleep(generator.uniform(0, 2))
            has_killed = self.kill(victim, process, name)
            _, errors = process.communicate(timeout=120)
            may_run = victim != "qemu" or not has_killed
            self.assertTrue(wait_until(lambda: name not in self.running() or (may_run and self.is_whole(name)), 60), victim)
            runs = name in self.running()
            if victim != "command" and process.returncode != 0:
                self.assertFalse(runs, errors)
                self.assertFalse((self.output / name).exists(), errors)
            if victim == "supervisor" and process.returncode == 0:
                self.assertTrue(runs)
            if runs:
                self.assertEqual(self.ask(name, {"hostname": "hostname"})["hostname"], name)
                self.assert_done(self.run_vprov("destroy", name))
            self.assert_all_ended()

    def kill(self, victim, process, name):
        """Whether there was something to kill."""
        record = self.record(name)
        pid = process.pid if victim == "command" else record[victim]["pid"] if record else 0
        try:
            if pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return pid != 0

    def record(self, name):
        try:
            return json.loads((self.state / "dom" / name / "dom.json").read_text())
        except OSError:
            return None

    def is_whole(self, name):
        record = self.record(name)
        return record and record["phase"] == "running" and not record["operation"]

    def check_stop(self):
        process = self.start_clone("stopped")
        self.assertTrue(wait_until(lambda: "stopped" in self.running(), 60))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        if process.returncode != 0:
            self.assertEqual(process.returncode, INTERRUPTED)
            self.assertEqual(self.running(), [])
            self.assertFalse((self.output / "stopped").exists())
        self.destroy_all()

    def check_damage(self):
        disk = self.template / "disk0"
        disk.chmod(0o600)
        with open(disk, "r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(first)
        self.assert_one_message(self.clone("web4"), HYPERVISOR, "cannot use the template", "has changed since it was made")
        (self.template / "memory").unlink()
        self.assert_one_message(self.clone("web4"), HYPERVISOR, "cannot use the template")
        self.assertFalse((self.output / "web4").exists())


class NoAgentTest(VprovTest):
    def test_a_guest_without_an_agent(self):
        place = self.place / "a.cfg"
        place.write_text('name = "a"\nkernel = "/nowhere"\n')
        run = self.run_vprov("template", place, self.place / "template")
        self.assert_one_message(run, HYPERVISOR, "cannot make a template of 'a': its configuration has no agent")
        self.assertFalse((self.place / "template").exists())


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "unshare")
