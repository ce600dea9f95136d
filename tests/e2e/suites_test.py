#!/usr/bin/env python3
"""The minimal system of each suite, configured and judged by its own dpkg and apt.

suites_test.py VPROV CACHE takes a sample that the others do not cover; with --all every suite. Ubuntu's need a mirror,
in VPROV_TEST_UBUNTU_MIRROR, and its keyring: /usr/share/keyrings/ubuntu-archive-keyring.gpg, or what
VPROV_TEST_UBUNTU_KEYRING names.
"""

import os
import pathlib
import subprocess
import sys
import urllib.request

import vprov_under_test
from vprov_under_test import VprovTest, host_mirror

ALL = "--all" in sys.argv and not sys.argv.remove("--all")
DEBIAN = ["bullseye", "bookworm", "trixie", "forky", "sid"] if ALL else ["bullseye", "sid"]
UBUNTU = ["jammy", "noble"]
UBUNTU_MIRROR = os.environ.get("VPROV_TEST_UBUNTU_MIRROR")
UBUNTU_KEYRING = os.environ.get("VPROV_TEST_UBUNTU_KEYRING", "/usr/share/keyrings/ubuntu-archive-keyring.gpg")


class SuitesTest(VprovTest):
    def in_tree(self, tree, *command):
        return subprocess.run(["chroot", tree, *command], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def assert_sound(self, suite, mirror, *arguments):
        try:
            urllib.request.urlopen(f"{mirror}/dists/{suite}/InRelease", timeout=60).close()
        except OSError as failure:
            self.skipTest(f"{mirror} has no {suite}: {failure}")
        tree = self.place / suite
        run = self.run_vprov("bootstrap", "--variant=minbase", "--no-updates", "--no-check-valid-until", "--cache-dir",
                             self.cache, *arguments, suite, tree, mirror)
        self.assert_done(run)
        for command, output in ((["dpkg", "--audit"], ""), (["dpkg", "-V"], ""), (["apt-get", "-qq", "check"], "")):
            result = self.in_tree(tree, *command)
            self.assertEqual((command, result.returncode, result.stdout), (command, 0, output), result.stderr)
        self.assertEqual(self.in_tree(tree, "dpkg-query", "-W", "-f", "${db:Status-Abbrev}\n").stdout.split(),
                         ["ii"] * len(list(pathlib.Path(tree, "var/lib/dpkg/info").glob("*.list"))))
        self.assert_nothing_left()

    def test_debian(self):
        for suite in DEBIAN:
            with self.subTest(suite):
                self.assert_sound(suite, host_mirror())

    def test_ubuntu(self):
        if not UBUNTU_MIRROR or not pathlib.Path(UBUNTU_KEYRING).exists():
            self.skipTest("no mirror of Ubuntu is named in VPROV_TEST_UBUNTU_MIRROR, or its keyring is not there")
        for suite in UBUNTU:
            with self.subTest(suite):
                self.assert_sound(suite, UBUNTU_MIRROR, "--keyring", UBUNTU_KEYRING)


if __name__ == "__main__":
    vprov_under_test.main("root", "network")
