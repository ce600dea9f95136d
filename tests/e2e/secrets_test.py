#!/usr/bin/env python3
"""Passwords: in no program's arguments, in no output, in no file that others can read."""

import os
import pathlib
import re
import stat
import subprocess
import threading

import vprov_under_test
from vprov_under_test import VprovTest, tiny_recipe

ROOT, ADMIN, VIEWER = "r00t-Plain-Secret", "adm1n-Plain-Secret", "vi3w-Pln"

MORE = """
[identity]
root_password = { env = "TEST_ROOT_PASSWORD" }

[[identity.user]]
name = "admin"
password = { env = "TEST_ADMIN_PASSWORD" }

[[identity.user]]
name = "random"
password = { random = true }

[domain]
type = "hvm"

[domain.vnc]
password = { env = "TEST_VNC_PASSWORD" }
"""


class ArgumentsWatch(threading.Thread):
    """Every command line that shows up meanwhile."""

    def __init__(self):
        super().__init__()
        self.seen, self.over = set(), threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                self.seen.add(vprov_under_test.read_bytes(pathlib.Path(f"/proc/{pid}/cmdline")))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class SecretsTest(VprovTest):
    def environment(self):
        return super().environment() | {"TEST_ROOT_PASSWORD": ROOT, "TEST_ADMIN_PASSWORD": ADMIN,
                                        "TEST_VNC_PASSWORD": VIEWER}

    def files_with(self, folder, secret):
        """Paths of files that hold the bytes, and whether others than the owner can read them."""
        found = subprocess.run(["grep", "-rlaF", "-e", secret, folder], capture_output=True, text=True).stdout.splitlines()
        return {str(pathlib.Path(path).relative_to(folder)): bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)
                for path in found}

    def inside(self, image, path):
        return subprocess.run(["debugfs", "-R", f"cat {path}", image], capture_output=True, text=True, check=True).stdout

    def test_passwords(self):
        recipe = self.recipe(tiny_recipe(more=MORE, include=["passwd"]))
        with ArgumentsWatch() as watch:
            run = self.build(recipe, "--json", "--verbose")
        self.assert_done(run)
        guest = self.output / "tiny"
        passwords = (guest / "passwords").read_text()
        made_up = re.search(r"^random\W+(\S+)$", passwords, re.M)[1]
        self.assertEqual(stat.S_IMODE((guest / "passwords").stat().st_mode), 0o600)
        image = guest / "root.img"
        hashes = [line.split(":")[1] for line in self.inside(image, "/etc/shadow").splitlines()
                  if line.split(":")[0] in ("root", "admin", "random")]
        self.assertEqual(len(set(hashes)), 3)
        for kept in hashes:
            self.assertTrue(kept.startswith("$y$"), kept)
        self.assertTrue(any(str(recipe).encode() in line for line in watch.seen))  # what would have been seen
        for secret in (ROOT, ADMIN, VIEWER, made_up, *hashes):
            with self.subTest(secret=secret):
                self.assertNotIn(secret, run.stdout + run.stderr)
                self.assertEqual([line for line in watch.seen if secret.encode() in line], [])
                expected = {made_up: {"tiny/passwords": False}, VIEWER: {"tiny/tiny.cfg": False}}.get(secret, {})
                if secret in hashes:
                    expected = {"tiny/root.img": False}
                self.assertEqual(self.files_with(self.output, secret), expected)
        for secret in (ROOT, ADMIN, VIEWER, made_up, *hashes):
            self.assertEqual(self.files_with(self.cache, secret), {})
        for verb in ("plan", "config"):
            said = self.run_vprov(verb, recipe)
            for secret in (ROOT, ADMIN, VIEWER):
                self.assertNotIn(secret, said.stdout + said.stderr)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "debugfs")
