#!/usr/bin/env python3
"""recipes/debian1.toml on a real Xen: the configurations that a build writes start there with `xl create` as they are, as pv
and as pvh, and vprov's own verbs work in that dom0."""

import json
import re
import time

import vprov_under_test
import xen_host
from vprov_under_test import DONE, HYPERVISOR, SOURCE, VprovTest

RECIPE_FILE = SOURCE / "recipes/debian1.toml"
TYPES = {"debian1": "pv", "debian2": "pvh"}
MACS = {"debian1": "aa:00:00:12:23:34", "debian2": "aa:00:00:12:23:35"}
ADDRESSES = {"debian1": "10.9.0.2/24", "debian2": "10.9.0.3/24"}  # there is nobody who gives them any
PATIENCE = """
[[file]]
path = "/etc/systemd/system.conf.d/patience.conf"  # for loaded machines; bookworm's kernel command line has not both
content = "[Manager]\\nDefaultTimeoutStartSec=1800\\nDefaultDeviceTimeoutSec=1800\\n"
"""


class XenTest(VprovTest):
    def setUp(self):
        super().setUp()
        self.guests = self.place / "guests"
        self.started = time.monotonic()
        self.host = xen_host.XenHost(self)
        recipe = self.recipe(RECIPE_FILE.read_text() + PATIENCE)
        for name, kind in TYPES.items():
            run = self.run_vprov("build", recipe, "--output", self.guests, "--cache-dir", self.cache,
                                 "--set", f"name={name}", "--set", f"identity.hostname={name}", "--set", f"domain.type={kind}",
                                 "--set", f"network.0.mac={MACS[name]}", "--set", f"network.0.address={ADDRESSES[name]}",
                                 "--set", "domain.vcpus=1")
            self.assert_done(run)
        self.write_wrong_ones()
        self.say("built")

    def write_wrong_ones(self):
        """Configurations like debian1's."""
        text = (self.guests / "debian1/debian1.cfg").read_text()
        without_disks = re.sub(r"(?ms)^disk = .*?^\]\n", "", text)
        for name, wrong in (("other", text), ("bridge", without_disks.replace("bridge0", "br7")),
                            ("memory", without_disks.replace("memory = 512", "memory = 9000"))):
            (self.guests / f"{name}.cfg").write_text(wrong.replace('name = "debian1"', f'name = "{name}"')
                                                     .replace('uuid = "5', 'uuid = "6'))

    def say(self, what):
        print(f"  {time.monotonic() - self.started:6.1f} s  {what}", flush=True)

    def password(self, name):
        return (self.guests / name / "passwords").read_text().strip().removeprefix("root: ")

    def dom0(self, command, status=DONE, seconds=None):
        found, said = self.console.run(command, seconds)
        self.assertEqual(found, status, f"{command}: {said}")
        return said

    def test_debian1(self):
        for _ in range(3):
            self.host.give(self.guests, 6 << 10)
            try:
                return self.tell()
            except xen_host.StandsStill:
                self.say("the emulated machine stands still: again from the beginning")
        self.fail("the emulated machine stood still each time")

    # The parts are one story, told in this order.
    def tell(self):
        with self.host.boot() as self.console:
            self.say("dom0 is up")
            for part in (self.check_doctor, self.check_guests, self.check_list, self.check_changes, self.check_mistakes,
                         self.check_shutdown, self.check_create):
                part()
                self.say(part.__name__.removeprefix("check_"))
            self.dom0("sync")

    def check_doctor(self):
        said = self.dom0("vprov doctor")
        self.assertRegex(said, r"(?m)^ok +Xen +this is a dom0 of Xen 4\.17\.\d+: guests run on it$")
        self.assertRegex(said, r"(?m)^ok +bridge +connects guests with the network$")
        self.assertNotIn("KVM", said)

    def create(self, configuration):
        """Xen gives the scripts that attach disks 40 s, which a machine under load may not be able to do."""
        for _ in range(3):
            status, said = self.console.run(f"xl create {configuration}")
            if status == DONE:
                return
            self.assertIn("because of timeout", said)
        self.fail(said)

    # One after the other, for a guest that boots slows those scripts down.
    def check_guests(self):
        for name in TYPES:
            self.create(f"{name}/{name}.cfg")
            self.say(f"{name} is created")
            self.console.type(f"vprov console {name}\n")
            self.console.wait_for_login()
            self.console.log_in("root", self.password(name))
            self.say(f"{name} has been logged in to")
            status, said = self.console.run("hostname; cat /sys/class/net/lan0/address; findmnt -no SOURCE /; "
                                            "swapon --noheadings --show=NAME; "
                                            "for i in {1..60}; do ping -q -c 1 10.9.0.1 >/dev/null 2>&1 && break; sleep 1; done; "
                                            "ping -q -c 1 10.9.0.1 >/dev/null")
            self.assertEqual((status, said.splitlines()), (0, [name, MACS[name], "/dev/xvda1", "/dev/xvda2"]))
            self.console.type("\x1d")
            self.console.wait_for(f"Detached; {name} runs on.")
            self.console.settle()

    def check_list(self):
        rows = [line.split() for line in self.dom0("vprov list").splitlines()]
        self.assertEqual(rows[0], ["Name", "ID", "Mem", "VCPUs", "State", "Time(s)"])
        self.assertEqual([row[:4] for row in rows[1:]], [["Domain-0", "0", "1024", "1"], ["debian1", rows[2][1], "512", "1"],
                                                         ["debian2", rows[3][1], "512", "1"]])
        domains = json.loads(self.dom0(f"vprov list --json debian1 {rows[3][1]}"))
        self.assertEqual([(d["name"], d["engine"]) for d in domains], [("debian1", "Xen (pv)"), ("debian2", "Xen (pvh)")])

    def check_changes(self):
        self.dom0("vprov pause debian1")
        self.assertEqual(self.dom0("vprov list debian1").split()[10], "--p---")
        self.dom0("vprov unpause debian1")
        self.dom0("vprov rename debian1 web")
        self.assertEqual(self.dom0("vprov list web").split()[6], "web")
        self.dom0("vprov rename web debian1")

    def check_mistakes(self):
        for command, message in (
                ("create debian1/debian1.cfg", "cannot create 'debian1': a domain of that name is running"),
                ("create other.cfg", f"cannot create 'other': its disk '{self.guests}/debian1/root.img' is in use by the domain "
                                     "'debian1'"),
                ("create bridge.cfg", "cannot create 'bridge': there is no bridge 'br7' (ip link add br7 type bridge; ip link set "
                                      "br7 up)"),
                ("create memory.cfg", "cannot create 'memory': can't allocate low memory for domain: Out of memory"),
                ("shutdown Domain-0", "cannot shut down 'Domain-0': it is this host itself")):
            self.assertEqual(self.dom0(f"vprov {command}", HYPERVISOR), f"vprov: {message}")

    def check_shutdown(self):
        self.dom0("vprov shutdown --all --wait")  # which leaves the host alone
        self.assertEqual([line.split()[0] for line in self.dom0("vprov list").splitlines()], ["Name", "Domain-0"])

    def check_create(self):
        self.assertEqual(self.dom0("vprov create debian2 --output ."), "debian2: running (Xen (pvh)), console: vprov console debian2")
        self.assertEqual(self.dom0("vprov list debian2").split()[6], "debian2")
        self.dom0("vprov destroy debian2")
        self.dom0("vprov destroy debian2", HYPERVISOR)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", *xen_host.PROGRAMS)
