#!/usr/bin/env python3
"""A busy Debian guest moves between two network namespaces of this host, and nobody in or outside of it is hurt.

    migrate_test.py VPROV CACHE [MOVES]        3 moves, or as many

It writes memory and knows what it has written, computes checksums of /usr/bin without a pause, and is pinged every 10 ms.
Each move's figures are printed: the standstill as `vprov migrate` says it, and the longest time without an answer to a
ping. Then it moves once with its disks, and once to what vprov takes for another host, so that its memory has to follow it.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import vprov_under_test
from guest_console import GuestConsole
from vprov_under_test import VprovTest

MOVES = int(sys.argv.pop(3)) if sys.argv[3:] and sys.argv[3].isdigit() else 3
SIDES = (0, 1, 2)
OTHER = 2  # on the second bridge too
ADDRESS, PINGER = "192.0.2.10", "192.0.2.1"

RECIPE = f"""
name = "busy"
[system]
variant = "minbase"
include = ["iproute2"]
[system.kernel]
cmdline = "no_timer_check"  # a loaded machine is late with the timers of TCG, and kernels check theirs
[identity]
root_password = {{ random = true }}
[[disk]]
name = "root"
size = "1G"
filesystem = "ext4"
mount = "/"
[[network]]
bridge = "br0"
address = "{ADDRESS}/24"
[domain]
memory = "384M"
vcpus = 2
"""

# The checksums are of what is read from the disk, every other time; a difference is kept. Of its memory the writer knows
# the sum of all bytes.
LOAD = r"""cat > /root/writer <<'END'
$m = "\0" x 2e7;
while (1) {
  for ($i = int rand 997; $i < length $m; $i += 997) {
    $n = int rand 256; $sum += $n - ord substr($m, $i, 1); substr($m, $i, 1) = chr $n;
  }
  if (unpack("%64C*", $m) != $sum) { open F, ">>/root/bad"; print F "memory\n"; close F; }
}
END
cat > /root/load <<'END'
perl /root/writer &
cd /usr/bin; md5sum [a-m]* > /root/sums
while sleep 0.01; do
  md5sum --quiet -c /root/sums >> /root/bad 2>&1 || echo bad >> /root/bad
  echo >> /root/rounds; sync /root/rounds; echo 1 > /proc/sys/vm/drop_caches
done
END
: > /root/bad; : > /root/rounds; setsid sh /root/load < /dev/null > /dev/null 2>&1 &"""
# What runs in it is on a host that was started at another time than this one, as far as vprov can tell.
OTHER_HOST = """#!/bin/sh
exec unshare --mount sh -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"' BOOT_ID "$@"
"""
STAYED = "its memory stayed where it is"
# QEMU is not root, and whether others may handle faults of the kernel is up to the host (sysctl/vm.rst of Linux)
MAY_FOLLOW = pathlib.Path("/proc/sys/vm/unprivileged_userfaultfd").read_text().strip() == "1"
FOLLOWED = "its memory followed it" if MAY_FOLLOW else "its memory was copied while it stood still"


def run(*argv):
    return subprocess.run(argv, check=True, text=True, capture_output=True).stdout


class MigrateTest(VprovTest):
    shells = 0

    def setUp(self):
        super().setUp()
        self.spaces = [f"vprov-{os.getpid()}-{side}" for side in "ab"]
        for space in self.spaces:
            run("ip", "netns", "add", space)
            self.addCleanup(run, "ip", "netns", "del", space)
        run("ip", "-n", self.spaces[0], "link", "add", "between", "type", "veth", "peer", "between", "netns", self.spaces[1])
        for space in self.spaces:
            run("ip", "-n", space, "link", "add", "br0", "type", "bridge")
            run("ip", "-n", space, "link", "set", "between", "master", "br0")
            for link in ("lo", "between", "br0"):
                run("ip", "-n", space, "link", "set", link, "up")
        boot_id = self.place / "boot-id"
        boot_id.write_text("00000000-0000-4000-8000-000000000000\n")
        self.other_host = self.place / "other-host"
        self.other_host.write_text(OTHER_HOST.replace("BOOT_ID", str(boot_id)))
        self.other_host.chmod(0o755)
        run("ip", "-n", self.spaces[0], "address", "add", f"{PINGER}/24", "dev", "br0")

    def inside(self, side, *arguments):
        """The command that runs this vprov on a side."""
        host = [str(self.other_host)] if side == OTHER else []
        return ["ip", "netns", "exec", self.spaces[min(side, 1)], *host, "env", f"VPROV_STATE_DIR={self.state}-{side}",
                vprov_under_test.vprov, *map(str, arguments)]

    def vprov_on(self, side, *arguments):
        return subprocess.run(self.inside(side, *arguments), text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=vprov_under_test.DEADLINE, check=False)

    def end_all(self):
        for side in SIDES:
            self.vprov_on(side, "destroy", "busy")

    def test_a_busy_guest_stays_healthy(self):
        self.assert_done(self.build(self.recipe(RECIPE)))
        built = self.output / "busy"
        self.password = (built / "passwords").read_text().strip().removeprefix("root: ")
        self.addCleanup(self.end_all)
        self.assert_done(self.vprov_on(0, "create", "--accel", "tcg", built / "busy.cfg"))
        with self.console(0) as console:
            console.log_in("root", self.password)
            console.run(LOAD)
            console.run("while [ $(wc -l < /root/rounds) -lt 1 ]; do sleep 0.5; done", vprov_under_test.DEADLINE)
            rounds = 1
        self.start_pings()
        figures = []
        side = 0
        for move in range(MOVES):
            figures.append(self.move(side, 1 - side, STAYED))
            side = 1 - side
            rounds = self.check_health(side, rounds, move)
        self.report(figures)
        for to, how, options in ((1 - side, STAYED, ("--copy-disks", "--directory", self.place / "moved")),
                                 (OTHER, FOLLOWED, ())):
            figures.append(self.move(side, to, how, options))
            side = to
            rounds = self.check_health(side, rounds, len(figures) - 1)
        self.report(figures[MOVES:])
        with self.shell(side) as console:
            console.type("poweroff\n")
            self.assertEqual(console.status_at_end(), 0)
        check = subprocess.run(["e2fsck", "-fn", self.place / "moved/root.img"], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout)
        self.assertEqual(sorted(os.listdir(self.place / "moved")), ["initrd.img", "root.img", "vmlinuz"])
        for end in SIDES:
            self.assertEqual(len(self.vprov_on(end, "list").stdout.splitlines()), 1)

    def console(self, side):
        return GuestConsole(self.inside(side, "console", "busy"), self.environment(), vprov_under_test.DEADLINE)

    def shell(self, side):
        """The shell that is logged in. What it said before comes again: its answers have to be told from the new ones."""
        console = self.console(side)
        self.shells += 1
        console.count = 1000 * self.shells
        console.wait_for("Connected to busy.*\n")
        console.run("true")
        return console

    def move(self, side, to, how, options=()):
        begin = time.time()
        receiver = " ".join(self.inside(to, "migrate-receive"))
        moved = self.vprov_on(side, "migrate", "--live", *options, "-s", "", "busy", receiver)
        self.assert_done(moved)
        time.sleep(1)
        standstill = float(re.search(r"interrupted for ([0-9.]+) s", moved.stdout).group(1))
        self.assertIn(how, moved.stdout)
        self.assertEqual(len(self.vprov_on(side, "list").stdout.splitlines()), 1)
        return standstill, begin, time.time()

    def check_health(self, side, rounds, move):
        with self.shell(side) as console:
            self.assertEqual(console.run("cat /root/bad"), (0, ""), f"after move {move + 1}")
            wanted = f"while [ $(wc -l < /root/rounds) -le {rounds + 1} ]; do sleep 0.5; done"  # a whole one since
            self.assertEqual(console.run(wanted, vprov_under_test.DEADLINE), (0, ""))
            self.assertEqual(console.run("cat /root/bad"), (0, ""), f"after move {move + 1}")
            self.assertEqual(console.run("dmesg | grep -E 'BUG|Oops|panic|EXT4-fs error|I/O error|segfault'"), (1, ""))
            self.assertEqual(console.run("touch /root/written && sync && grep -qs '[/]writer' /proc/[0-9]*/cmdline"), (0, ""))
            return int(console.run("wc -l < /root/rounds")[1])

    def start_pings(self):
        pings = open(self.place / "pings", "w", encoding="utf-8")
        self.addCleanup(pings.close)
        argv = ["ip", "netns", "exec", self.spaces[0], sys.executable, vprov_under_test.TESTS / "tools/pinger.py", ADDRESS]
        self.pinger = subprocess.Popen(argv, stdout=pings, stderr=subprocess.STDOUT, env=self.environment())
        self.addCleanup(self.end, self.pinger)

    def gap(self, begin, end):
        lines = (self.place / "pings").read_text().splitlines()[:-1]  # the last may not be whole
        times = [answer for answer in map(float, lines) if begin <= answer <= end]
        self.assertGreater(len(times), 2, "it has not answered")
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def report(self, figures):
        standstills = [standstill for standstill, _, _ in figures]
        gaps = [self.gap(begin, end) for _, begin, end in figures]
        print("\nmove  standstill  without answer")
        for number, (standstill, gap) in enumerate(zip(standstills, gaps), 1):
            print(f"{number:4}  {standstill:8.3f} s  {gap:12.3f} s")
        print(f"median {statistics.median(standstills):6.3f} s  {statistics.median(gaps):12.3f} s", flush=True)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "qemu-system-x86_64", "ip", "e2fsck", "unshare")
