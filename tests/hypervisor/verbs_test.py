#!/usr/bin/env python3
"""verbs_test.py PROGRAM: the verbs for running domains, with a guest of one boot sector in QEMU's TCG."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(sys.argv[1])

# "\r\ntiny login: ", then an echo, and p powers off; the source is in tiny_guest.h.
TINY = bytes.fromhex(
    "fa31c08ed8fcbe707cac84c07416e80200ebf688c4bafd03eca82074fbbaf80388e0eec3bafd03eca80174f8baf803ec3c7074113c7274163c63"
    "741a3c66741ee8d0ffebdfba0406b80020efebd6baf90cb006eeebceba0505b001eeebc6b90080b078e8adff4975f8b021e8a5ffebb40d0a7469"
    "6e79206c6f67696e3a2000")
SLEEPER = bytes.fromhex("faf4ebfd")  # cli; 1: hlt; jmp 1b


class Verbs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vprov-verbs-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        disk = self.folder / "tiny.img"
        disk.write_bytes(TINY.ljust(510, b"\0") + b"\x55\xaa" + bytes((1 << 20) - 512))
        self.write("tiny", disk)
        self.environment = dict(os.environ, VPROV_STATE_DIR=str(self.folder / "state"),
                                VPROV_CONFIG_DIR=str(self.folder / "config"))
        self.addCleanup(self.end_all)

    def write(self, name, disk, folder=None):
        path = (folder or self.folder) / f"{name}.cfg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'name="{name}"\ntype="hvm"\nmemory=32\nvnc=0\ndisk=["format=raw,vdev=xvda,access=ro,target={disk}"]\n')
        return path

    def end_all(self):
        for domain in json.loads(self.run_verb("list", "--json").stdout):
            self.run_verb("destroy", domain["name"])

    def run_verb(self, *words, status=0, **options):
        result = subprocess.run([PROGRAM, *words], capture_output=True, text=True, env=self.environment, timeout=120,
                                stdin=subprocess.DEVNULL, **options)
        self.assertEqual(result.returncode, status, f"{words}: {result.stdout}{result.stderr}")
        return result

    def create(self, *words):
        return self.run_verb("create", "--accel", "tcg", str(self.folder / "tiny.cfg"), *words)

    def listed(self):
        return {domain["name"]: domain for domain in json.loads(self.run_verb("list", "--json").stdout)}

    def test_what_a_domain_is_made_from(self):
        self.create("vncpasswd='sesame'")
        listed = json.loads(self.run_verb("list", "-l", "tiny").stdout)
        self.assertEqual([domain["domid"] for domain in listed], [self.listed()["tiny"]["id"]])
        config = listed[0]["config"]
        self.assertEqual((config["name"], config["type"], config["memory"]), ("tiny", "hvm", "32"))
        self.assertEqual(len(config["disk"]), 1)
        self.assertIn(f"target={self.folder / 'tiny.img'}", config["disk"][0])
        self.assertNotIn("sesame", json.dumps(listed))

    def test_settings_of_the_command_line(self):
        self.create("name=other", "memory=48", 'on_poweroff="preserve"')
        self.assertEqual(self.listed()["other"]["memory_mib"], 48)
        self.assertIn("cannot use 'memory'", self.run_verb("create", str(self.folder / "tiny.cfg"), "memory=much", status=8).stderr)
        self.assertIn("KEY=VALUE", self.run_verb("create", str(self.folder / "tiny.cfg"), "memory", status=2).stderr)

    def test_wait_log_pause_and_rename(self):
        self.create("--paused")
        self.assertEqual(self.listed()["tiny"]["state"], "--p---")
        self.run_verb("unpause", "tiny")
        self.run_verb("wait", "--login", "-t", "60", "tiny")
        self.assertTrue(self.run_verb("log", "tiny").stdout.endswith("tiny login: "))
        self.assertEqual(self.run_verb("log", "-n", "1", "tiny").stdout, "tiny login: \n")
        self.assertIn("still running", self.run_verb("wait", "-t", "1", "tiny", status=8).stderr)
        self.run_verb("pause", "tiny")
        self.assertEqual(self.listed()["tiny"]["state"], "--p---")
        self.run_verb("rename", "tiny", "large")
        self.assertEqual(list(self.listed()), ["large"])
        self.run_verb("destroy", "large")
        self.assertTrue(self.run_verb("log", "large").stdout.endswith("tiny login: \n[large destroyed]\n"))
        self.assertIn("cannot find a domain", self.run_verb("log", "none", status=8).stderr)

    def test_ssh_by_a_port_that_is_forwarded(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "ssh").write_text('#!/bin/sh\necho "$@"\n')
        (programs / "ssh").chmod(0o755)
        self.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
        self.create("--paused", 'vif=["ip=10.0.0.5"]', f'vprov_vif=["forward=0.0.0.0:{port}:22"]')
        self.assertEqual(self.run_verb("ssh", "tiny", "uptime").stdout,
                         f"-l root -o HostKeyAlias=tiny -p {port} -- 127.0.0.1 uptime\n")
        self.run_verb("destroy", "tiny")
        self.create("--paused", 'vif=["ip=10.0.0.5"]')
        self.assertEqual(self.run_verb("ssh", "tiny").stdout, "-l root -o HostKeyAlias=tiny -p 22 -- 10.0.0.5\n")

    def test_log_that_is_followed_ends_with_the_domain(self):
        self.create()
        self.run_verb("wait", "--login", "-t", "60", "tiny")
        number = str(self.listed()["tiny"]["id"])
        with subprocess.Popen([PROGRAM, "log", "-f", "tiny"], env=self.environment, stdout=subprocess.PIPE) as following:
            self.run_verb("destroy", "tiny")
            text = following.communicate(timeout=30)[0]
        self.assertEqual(following.returncode, 0)
        self.assertTrue(text.endswith(b"[tiny destroyed]\r\n"), text)
        for words in (["-f", "tiny"], ["-f", number], [number]):
            afterwards = subprocess.run([PROGRAM, "log", *words], env=self.environment, capture_output=True, check=False)
            self.assertEqual((afterwards.returncode, afterwards.stdout), (0, text), words)
        self.create()
        self.run_verb("destroy", "tiny")
        self.assertIn("cannot find a domain", self.run_verb("log", number, status=8).stderr)  # another log has its name

    def test_a_supervisor_sleeps_while_nothing_happens(self):
        self.create()
        self.run_verb("wait", "--login", "-t", "60", "tiny")
        record = json.loads((self.folder / "state/dom/tiny/dom.json").read_text())

        def ticks():
            fields = pathlib.Path(f"/proc/{record['supervisor']['pid']}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        before = ticks()
        time.sleep(2)
        self.assertLessEqual(ticks() - before, 2)
        status = pathlib.Path(f"/proc/{record['supervisor']['pid']}/status").read_text()
        self.assertLess(int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]), 10_000)

    def test_top_in_batch_mode(self):
        self.create()
        self.create("name=second", "memory=48")
        self.run_verb("wait", "--login", "-t", "60", "second")  # it reads no more then
        lines = self.run_verb("top", "--batch", "-i", "2", "-d", "0.3", "--sort", "name").stdout.splitlines()
        self.assertEqual([line.split()[0] if line else "" for line in lines],
                         ["NAME", "second", "tiny", "", "NAME", "second", "tiny"])
        second = dict(zip(lines[4].split(), lines[5].split()))
        self.assertEqual((second["MEM(M)"], second["VCPUS"], second["RX/s"]), ("48", "1", "-"))
        self.assertGreater(float(second["CPU%"]), 1)  # its loop never sleeps
        self.assertGreater(float(second["RES(M)"]), 5)
        self.assertEqual(second["READ/s"], "0")

    def test_twenty_at_once(self):
        sleeper = self.folder / "sleeper.img"
        sleeper.write_bytes(SLEEPER.ljust(510, b"\0") + b"\x55\xaa" + bytes((1 << 20) - 512))
        names = [f"sleeper{number}" for number in range(20)]
        for name in names:
            self.run_verb("create", "--accel", "tcg", str(self.write(name, sleeper)))
        self.assertEqual(list(self.listed()), names)
        lines = self.run_verb("top", "--batch", "-i", "1", "--sort", "name").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], sorted(names))
        self.run_verb("destroy", *names)
        self.assertEqual(self.listed(), {})
        self.assertEqual(list((self.folder / "state/dom").iterdir()), [])
        deadline = time.monotonic() + 30  # a supervisor's domain is gone a moment before its process is
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [])

    def processes(self):
        """Command lines that name the folder."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes().decode()
            except OSError:
                continue  # it has ended meanwhile
            if str(self.folder) in line:
                found.append(line)
        return found

    def test_top_on_a_terminal_gives_it_back(self):
        self.create()
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with subprocess.Popen([PROGRAM, "top"], env=dict(self.environment, TERM="xterm", LINES="24", COLUMNS="100"),
                              stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as shown:
            os.close(slave)
            text = b""
            deadline = time.monotonic() + 30
            while b"tiny " not in text and time.monotonic() < deadline:
                if select.select([master], [], [], 1)[0]:
                    text += os.read(master, 65536)
            self.assertIn(b"1 domain", text)
            os.write(master, b"q")
            while select.select([master], [], [], 5)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:  # the last who had the other end open is gone
                    break
                text += data
                if not data:
                    break
            self.assertEqual(shown.wait(timeout=30), 0)
        self.assertIn(b"\x1b[?1049l", text)  # xterm's rmcup

    def test_foreground_ends_with_the_domain_and_passes_a_signal_on(self):
        with subprocess.Popen([PROGRAM, "create", "-F", "--accel", "tcg", str(self.folder / "tiny.cfg")],
                              env=self.environment, stdout=subprocess.PIPE) as foreground:
            foreground.stdout.readline()
            self.assertIn("tiny", self.listed())
            foreground.send_signal(signal.SIGTERM)  # this guest does not hear its button
            time.sleep(0.5)
            self.assertIsNone(foreground.poll())
            self.run_verb("destroy", "tiny")
            self.assertEqual(foreground.wait(timeout=30), 0)

    def test_autostart_that_saves(self):
        for name in ("web", "db"):
            self.write(name, self.folder / "tiny.img", self.folder / "config")
            self.run_verb("autostart", "enable", name)
        saves = self.folder / "saves"
        self.environment["VPROV_AUTOSTART_SAVE"] = str(saves)
        self.run_verb("autostart", "start")
        for name in ("web", "db"):
            self.run_verb("wait", "--login", "-t", "60", name)
        self.run_verb("pause", "web")
        self.run_verb("autostart", "stop")
        self.assertEqual(self.listed(), {})
        self.assertEqual(sorted(file.name for file in saves.iterdir()), ["db.save", "web.save"])
        (saves / "web.save").write_text("damaged")
        started = self.run_verb("autostart", "start")
        self.assertRegex(started.stderr, r"cannot restore from .*; it boots, and its state is kept in .*web\.save\.refused\n")
        self.assertEqual(sorted(self.listed()), ["db", "web"])
        self.assertEqual([file.name for file in saves.iterdir()], ["web.save.refused"])
        log = self.folder / "state/dom/db/console.log"
        with subprocess.Popen([PROGRAM, "console", "db"], env=self.environment, stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as console:
            console.stdin.write(b"Q")
            console.stdin.flush()
            deadline = time.monotonic() + 30
            while b"Q" not in log.read_bytes() and time.monotonic() < deadline:
                time.sleep(0.05)
            console.kill()
        self.assertNotIn(b"login", log.read_bytes())  # it has not booted
        self.assertIn(b"Q", log.read_bytes())

    def test_autostart_in_its_order(self):
        config = self.folder / "config"
        for name in ("web", "db", "mail"):
            self.write(name, self.folder / "tiny.img", config)
        self.run_verb("autostart", "enable", "web")
        self.run_verb("autostart", "enable", "db", "--order", "10")
        self.run_verb("autostart", "enable", str(config / "mail.cfg"), "--order", "7")
        self.run_verb("autostart", "enable", "mail", "--order", "60")
        names = [line.split()[:2] for line in self.run_verb("autostart", "list").stdout.splitlines()]
        self.assertEqual(names, [["10", "db"], ["50", "web"], ["60", "mail"]])
        (config / "web.cfg").write_text("name=web\n")
        failed = self.run_verb("autostart", "start", status=8)
        self.assertRegex(failed.stderr, r"web\.cfg:1: ")
        running = self.listed()
        self.assertEqual(sorted(running), ["db", "mail"])
        self.assertLess(running["db"]["id"], running["mail"]["id"])
        self.run_verb("autostart", "disable", "web")
        self.run_verb("autostart", "start")
        self.assertEqual(sorted(self.listed()), ["db", "mail"])
        stopped = self.run_verb("autostart", "stop", "--timeout", "1")
        self.assertEqual(re.findall(r"vprov: (\w+) has not shut down", stopped.stderr), ["mail", "db"])
        self.assertEqual(self.listed(), {})
        self.assertIn("does not start with the host", self.run_verb("autostart", "disable", "web", status=8).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
