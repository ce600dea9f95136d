#!/usr/bin/env python3
"""save_kills_test.py VPROV [ROUNDS]: kills the command, the supervisor or QEMU at a random moment of save and of restore,
and looks at what is left. The moments follow from the number of the round; by hand 100 rounds are a fair number.

After a save the domain goes on, or is gone and its file restores it; it is gone without a file only when QEMU was what
was killed. After a restore the domain runs or is gone, and the file is as it was."""

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

VPROV = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
TINY_GUEST = pathlib.Path(__file__).resolve().parent / "tiny_guest.h"
PROMPT = b"tiny login: "
SETTLED = 30  # seconds, on a machine that is busy


def boot_sector():
    code = re.search(r"kCode = \{(.*?)\}", TINY_GUEST.read_text(), re.S).group(1)
    return bytes(int(byte, 16) for byte in code.split(",")).ljust(510, b"\0") + b"\x55\xaa"


class SaveKillsTest(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="vprov-kills-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.kept = self.place / "kept"
        self.kept.mkdir()
        self.file = self.kept / "tiny.save"
        (self.place / "disk.img").write_bytes(boot_sector().ljust(1 << 20, b"\0"))
        self.config = self.place / "tiny.cfg"
        self.config.write_text('name = "tiny"\ntype = "hvm"\nmemory = 64\n'
                               f'disk = ["format=raw,vdev=xvda,access=ro,target={self.place}/disk.img"]\n')
        self.addCleanup(self.end_all)

    def end_all(self):
        for domain in self.domains():
            self.vprov("destroy", domain["name"])
        self.assertEqual(self.processes(), {})

    def environment(self):
        return {**os.environ, "VPROV_STATE_DIR": str(self.place / "state")}

    def start(self, *words):
        return subprocess.Popen([VPROV, *map(str, words)], env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def vprov(self, *words):
        process = self.start(*words)
        out, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, errors)

    def done(self, *words):
        run = self.vprov(*words)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def domains(self):
        return json.loads(self.done("list", "--json").stdout)

    def record(self):
        try:
            return json.loads((self.place / "state/dom/tiny/dom.json").read_text())
        except (OSError, ValueError):
            return None

    def processes(self, seconds=SETTLED):
        """Those whose command line names the place, once those that are ending have ended."""
        deadline = time.monotonic() + seconds
        while True:
            found = {}
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit() and int(entry.name) != os.getpid():
                    try:
                        line = (entry / "cmdline").read_bytes()
                    except OSError:
                        continue
                    if str(self.place).encode() in line:
                        found[int(entry.name)] = line.split(b"\0")[0].decode()
            expected = sum(2 for domain in self.domains())
            if len(found) == expected or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def answers(self):
        """The guest echoes what is typed, and goes on where it was."""
        console = subprocess.Popen([VPROV, "console", "tiny"], env=self.environment(), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            said, deadline = b"", time.monotonic() + SETTLED
            console.stdin.write(b"Q")
            console.stdin.flush()
            while time.monotonic() < deadline and b"Q" not in said:
                if select.select([console.stdout], [], [], 1)[0]:
                    data = os.read(console.stdout.fileno(), 4096)
                    if not data:
                        break
                    said += data
            return b"Q" in said
        finally:
            console.kill()
            console.communicate()

    def create(self):
        self.done("create", self.config)
        log = self.place / "state/dom/tiny/console.log"
        deadline = time.monotonic() + 60
        while PROMPT not in log.read_bytes():
            self.assertLess(time.monotonic(), deadline, "the guest does not boot")
            time.sleep(0.02)

    def strike(self, process, victim, moment):
        """Returns what was killed: the command may have ended before."""
        time.sleep(moment)
        record = self.record()
        if victim in ("command", "interrupt"):
            process.send_signal(signal.SIGKILL if victim == "command" else signal.SIGINT)
        elif record and record[victim]["pid"]:
            try:
                os.kill(record[victim]["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.communicate(timeout=60)

    def settled_domains(self):
        """The supervisor takes back what its killed command had done, and ends what was made for a state that never
        came: soon, on a machine that is busy too."""
        deadline = time.monotonic() + SETTLED
        while True:
            domains = self.domains()
            if not domains or not set("pd") & set(domains[0]["state"]) or time.monotonic() > deadline:
                return domains
            time.sleep(0.05)

    def check_what_is_left(self):
        """The domain, or None."""
        time.sleep(0.2)
        self.settled_domains()
        processes = self.processes()
        domains = self.domains()
        self.assertEqual(len(processes), 2 * len(domains), (processes, domains))
        named = self.place / "state/dom"
        self.assertEqual([entry.name for entry in named.iterdir()], [domain["name"] for domain in domains])
        self.assertLessEqual({entry.name for entry in self.kept.iterdir()}, {self.file.name})
        if domains:
            self.assertTrue(domains[0]["supervised"])
            self.assertNotIn("p", domains[0]["state"])
            self.assertTrue(self.answers(), "the guest does not answer")
        return domains[0] if domains else None

    def duration(self, *words):
        begin = time.monotonic()
        self.done(*words)
        return time.monotonic() - begin

    def test_save(self):
        self.create()
        most = 1.1 * self.duration("save", "tiny", self.file)
        self.file.unlink()
        for number in range(ROUNDS):
            chance = random.Random(number)
            victim = ("command", "supervisor", "qemu", "interrupt")[number % 4]
            moment = chance.uniform(0, most)
            with self.subTest(number=number, victim=victim, moment=round(moment, 4)):
                if not self.domains():
                    self.create()
                self.strike(self.start("save", "tiny", self.file), victim, moment)
                domain = self.check_what_is_left()
                if not domain and (victim != "qemu" or self.file.exists()):
                    self.done("restore", self.file)
                    self.assertTrue(self.answers(), "the restored guest does not answer")
                self.file.unlink(missing_ok=True)

    def test_restore(self):
        self.create()
        self.done("save", "tiny", self.file)
        content = self.file.read_bytes()
        most = 1.1 * self.duration("restore", self.file)
        for number in range(ROUNDS):
            chance = random.Random(1000 + number)
            victim = ("command", "supervisor", "qemu", "interrupt")[number % 4]
            moment = chance.uniform(0, most)
            with self.subTest(number=number, victim=victim, moment=round(moment, 4)):
                if self.domains():
                    self.done("destroy", "tiny")
                self.strike(self.start("restore", self.file), victim, moment)
                self.check_what_is_left()
                self.assertEqual(self.file.read_bytes(), content)


if __name__ == "__main__":
    if not shutil.which("qemu-system-x86_64"):
        print("skipped: QEMU is not installed")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
