"""A domain of one boot sector, and the killing of what has to do with it while a command is at it.

As root all of it happens in a network namespace of its own, with a card on a bridge: then every process, socket and tap
in there is the test's."""

import collections
import fcntl
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

VPROV = os.path.abspath(sys.argv[1])
TINY_GUEST = pathlib.Path(__file__).resolve().parent / "tiny_guest.h"
PROMPT = b"tiny login: "
SETTLED = 30  # seconds, on a machine that is busy
HAS_NETWORK = os.geteuid() == 0 and all(map(shutil.which, ("ip", "unshare")))
BRIDGE = "killed0"
KEPT_FILES = {"lock", "segments.lock", "next-id", "dom", "log", "limits"}


def enter_own_network():
    """Runs this program again, in a network namespace that has a bridge."""
    if not HAS_NETWORK:
        return
    if os.environ.pop("KILLS_IN_OWN_NETWORK", ""):
        subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
        return
    os.environ["KILLS_IN_OWN_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])


def boot_sector():
    code = re.search(r"kCode = \{(.*?)\}", TINY_GUEST.read_text(), re.S).group(1)
    return bytes(int(byte, 16) for byte in code.split(",")).ljust(510, b"\0") + b"\x55\xaa"


def arguments_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    except OSError:
        return []


def parent_of(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def is_dead(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Side:
    """A state directory and the domains in it."""

    def __init__(self, state):
        self.state = state

    def environment(self):
        return {**os.environ, "VPROV_STATE_DIR": str(self.state)}

    def start(self, *words):
        return subprocess.Popen([VPROV, *map(str, words)], env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def done(self, *words):
        process = self.start(*words)
        out, errors = process.communicate(timeout=120)
        if process.returncode != 0:
            raise AssertionError(f"{words}: {errors}")
        return out

    def domains(self):
        return json.loads(self.done("list", "--json"))

    def record(self):
        try:
            return json.loads((self.state / "dom/tiny/dom.json").read_text())
        except (OSError, ValueError):
            return None


class KilledDomainsTest(unittest.TestCase):
    rounds_of_each = 3

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="vprov-kills-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.kept = self.place / "kept"
        self.kept.mkdir()
        self.here, self.there = Side(self.place / "here"), Side(self.place / "there")
        self.there.state.mkdir(mode=0o700)
        (self.there.state / "next-id").write_text("100001\n")  # taps are named by ids, and of one host
        (self.place / "disk.img").write_bytes(boot_sector().ljust(1 << 20, b"\0"))
        self.config = self.place / "tiny.cfg"
        vif = f"vif = ['bridge={BRIDGE},rate=10MB/s']\n" if HAS_NETWORK else ""
        self.config.write_text('name = "tiny"\ntype = "hvm"\nmemory = 64\n' + vif +
                               f'disk = ["format=raw,vdev=xvda,access=ro,target={self.place}/disk.img"]\n')
        self.addCleanup(self.end_all)

    def end_all(self):
        for side in (self.here, self.there):
            for domain in side.domains():
                side.done("destroy", domain["name"])
        self.assertEqual(self.at_rest(), [])

    def kill_in_rounds(self, verb, victims, longest, one_round):
        """Calls one_round(victim, moment), which returns what became of the domain, with moments up to a little after the
        command's end: `longest` seconds, or what one has taken meanwhile that was quicker."""
        outcomes = collections.Counter()
        self.longest = longest
        for number in range(self.rounds_of_each * len(victims)):
            victim = victims[number % len(victims)]
            moment = random.Random(f"{verb} {number}").uniform(0, 1.1 * self.longest)
            with self.subTest(number=number, victim=victim, moment=round(moment, 4)):
                outcomes[victim, one_round(victim, moment)] += 1
        for (victim, outcome), times in sorted(outcomes.items()):
            print(f"\n{verb}: {times} times the {victim} was killed, and the domain {outcome}", end="", flush=True)

    def create(self):
        self.here.done("create", self.config)
        log = self.here.state / "dom/tiny/console.log"
        deadline = time.monotonic() + 60
        while PROMPT not in log.read_bytes():
            self.assertLess(time.monotonic(), deadline, "the guest does not boot")
            time.sleep(0.02)

    def duration(self, side, *words):
        begin = time.monotonic()
        side.done(*words)
        return time.monotonic() - begin

    def processes(self):
        """The test's own but this one and what has ended: by their network, or by their command lines."""
        own_network = os.readlink("/proc/self/ns/net")
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                is_ours = HAS_NETWORK and os.readlink(entry / "ns/net") == own_network
            except OSError:
                continue
            words = arguments_of(entry.name)
            if (is_ours or any(str(self.place) in word for word in words)) and not is_dead(entry.name):
                found[int(entry.name)] = words[:3]
        return found

    def victim(self, name, side):
        """The process that `supervisor`, `qemu` or `receiver` is now; 0: there is none."""
        record = side.record()
        if record and name in record and record[name]["pid"]:
            return record[name]["pid"]
        wanted = {"receiver": ["migrate-receive"], "supervisor": ["supervise", str(side.state)]}.get(name)
        found = [pid for pid, words in self.processes().items() if wanted and words[1:3] == wanted]
        return next((pid for pid in found if parent_of(pid) not in found), 0)  # a supervisor forks

    def kill(self, victim, process):
        """True when there was something to kill."""
        if victim in ("command", "interrupt"):
            process.send_signal(signal.SIGKILL if victim == "command" else signal.SIGINT)
            return True
        name, _, side = victim.partition(" ")
        pid = self.victim(name, getattr(self, side or "here"))
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
        return bool(pid)

    def strike(self, process, victim, moment):
        """At the moment, or as soon as there is such a process after it. Returns what the command said, once it has
        ended, which it may have done before."""
        begin = time.monotonic()
        process_end = os.pidfd_open(process.pid)
        if select.select([process_end], [], [], moment)[0]:
            self.longest = min(self.longest, time.monotonic() - begin)
        os.close(process_end)
        while not self.kill(victim, process) and process.poll() is None:
            time.sleep(0.001)
        out, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def answers(self, side, boots=False):
        """The guest echoes what is typed, and goes on where it was. One that boots takes no notice of keys before it has
        come to its prompt, which nobody need have heard: QEMU drops what is said while there is no supervisor."""
        console = subprocess.Popen([VPROV, "console", "tiny"], env=side.environment(), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            said, deadline = b"", time.monotonic() + SETTLED
            typed = 0
            while time.monotonic() < deadline and b"Q" not in said:
                if boots or not typed:
                    typed += console.stdin.write(b"Q")
                    console.stdin.flush()
                if select.select([console.stdout], [], [], 1)[0]:
                    data = os.read(console.stdout.fileno(), 4096)
                    if not data:
                        break
                    said += data
            return b"Q" in said
        finally:
            console.kill()
            console.communicate()

    def at_rest(self):
        """The domains as `list` has them, with their sides, once a supervisor has taken back what its killed command
        had done and ended what was made for a state that never came: nothing waits or dies any more, and of each domain
        there are its two processes, and no others. Never are two running."""
        deadline = time.monotonic() + SETTLED
        calm = 0
        while True:
            found = [(side, domain) for side in (self.here, self.there) for domain in side.domains()]
            self.assertLessEqual(sum(bool(set("rb") & set(domain["state"])) for _, domain in found), 1, found)
            records = [side.record() for side, _ in found]
            expected = {record[part]["pid"] for record in records if record for part in ("supervisor", "qemu")}
            processes = self.processes()
            is_calm = set(processes) == expected and len(expected) == 2 * len(found) and not any(
                set("pd") & set(domain["state"]) or not domain["supervised"] for _, domain in found)
            calm = calm + 1 if is_calm else 0
            if calm == 2:
                return found
            self.assertLess(time.monotonic(), deadline, (found, processes, records))
            time.sleep(0.05)

    def taps(self):
        links = subprocess.run(["ip", "-o", "link", "show", "type", "tun"], check=True, capture_output=True, text=True)
        return {line.split(": ")[1] for line in links.stdout.splitlines()}

    def check_files(self, found):
        for side in (self.here, self.there):
            names = {domain["name"] for where, domain in found if where is side}
            self.assertEqual({entry.name for entry in (side.state / "dom").iterdir()}, names)
            self.assertLessEqual({entry.name for entry in side.state.iterdir()}, KEPT_FILES)
            for lock in side.state.glob("*lock"):
                with open(lock, encoding="ascii") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not HAS_NETWORK:
            return
        taps = {f"vif{domain['id']}.0" for _, domain in found}
        self.assertEqual(self.taps(), taps)
        limited = {entry.name for side in (self.here, self.there) for entry in side.state.glob("limits/*")}
        self.assertEqual(limited, taps)
        sockets = [line for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:] if len(line.split()) > 7]
        if not found:
            self.assertEqual(sockets, [])

    def what_is_left(self, boots=False):
        """The side on which the domain runs, or None. `boots`: it is so new that it need not have come to its prompt."""
        found = self.at_rest()
        self.assertLessEqual(len(found), 1)
        self.check_files(found)
        if not found:
            return None
        side = found[0][0]
        self.assertTrue(self.answers(side, boots), "the guest does not answer")
        return side


def main():
    if not shutil.which("qemu-system-x86_64"):
        print("skipped: QEMU is not installed")
        sys.exit(77)
    enter_own_network()
    tests = [f"{name}.test_{sys.argv[2]}" for name, value in vars(sys.modules["__main__"]).items()
             if hasattr(value, f"test_{sys.argv[2]}")]
    if sys.argv[3:]:
        KilledDomainsTest.rounds_of_each = int(sys.argv[3])
    unittest.main(argv=[sys.argv[0], "-v", *tests])
