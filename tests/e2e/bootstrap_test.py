#!/usr/bin/env python3
"""`vprov bootstrap` and debootstrap: where a tree may go, what the name changes, two stages, tarballs; each tree against
the one that is made in a directory.

bookworm's minbase, from this machine's mirror. Without debootstrap installed it is not asked to read our tarball.
"""

import os
import shutil
import subprocess
import tarfile
import unittest

import vprov_under_test
from vprov_under_test import VprovTest
from serve import ArchiveServer
from tree_diff import compare, read_tree

SECOND_STAGE = ["var/lib/dpkg/status-old"]  # the database before its last change, which depends on the order of the work
CHOSEN = ["--variant=minbase"]


def differences(expected, actual, ignored=()):
    return [str(one) for one in compare(read_tree(expected), read_tree(actual))
            if not any(name in str(one) for name in ignored)]


class BootstrapTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maker = cls("make_tree")
        cls.maker.setUp()
        cls.addClassCleanup(cls.maker.doCleanups)
        cls.maker.make_tree()

    def setUp(self):
        super().setUp()
        self.mirror = vprov_under_test.host_mirror()
        self.debootstrap = self.place / "debootstrap"
        self.debootstrap.symlink_to(vprov_under_test.vprov)

    def environment(self):
        # under debootstrap's name --cache-dir is something else, so both names get the cache this way
        folder = self.place / "xdg"
        folder.mkdir(exist_ok=True)
        if not (folder / "vprov").exists():
            (folder / "vprov").symlink_to(self.cache)
        return {**super().environment(), "XDG_CACHE_HOME": str(folder), "SOURCE_DATE_EPOCH": "1700000000"}

    def make_tree(self):
        self.tree = self.place / "tree"
        self.assert_done(self.bootstrap(self.tree))

    def bootstrap(self, target, *options, **more):
        return self.run_vprov("bootstrap", "--no-updates", *CHOSEN, *options, "bookworm", target, self.mirror, **more)

    def run_debootstrap(self, *arguments):
        return subprocess.run([self.debootstrap, *map(str, arguments)], env=self.environment(), cwd=self.place, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=vprov_under_test.DEADLINE, check=False)

    def in_tree(self, tree, *command):
        script = 'mount -t proc proc "$1/proc" && shift && exec chroot "$@"'
        return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", script, "sh",
                               tree, tree, *command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"})

    def extracted(self, path):
        tree = self.place / "extracted"
        tree.mkdir()
        subprocess.run(["tar", "--extract", "--file", path, "--directory", tree, "--numeric-owner", "--xattrs",
                        "--xattrs-include=*", "--same-permissions"], check=True)
        return tree

    def test_tar_to_standard_output(self):
        path = self.place / "tree.tar"
        with open(path, "wb") as stream:
            run = subprocess.run([vprov_under_test.vprov, "bootstrap", "--no-updates", *CHOSEN, "bookworm", "-", self.mirror],
                                 env={**self.environment(), "TMPDIR": str(self.place)}, stdin=subprocess.DEVNULL,
                                 stdout=stream, stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(differences(self.maker.tree, self.extracted(path)), [])
        with tarfile.open(path) as archive:
            names = archive.getnames()
        self.assertEqual(names, sorted(names, key=lambda name: name.encode().split(b"/")))
        self.assert_nothing_left()

    def test_under_the_name_of_debootstrap(self):
        tree = self.place / "named"
        (tree / "var/cache/apt/archives").mkdir(parents=True)  # xen-create-image puts .debs there
        debs = self.place / "debs"
        debs.mkdir()
        run = self.run_debootstrap(*CHOSEN, f"--cache-dir={debs}", "bookworm", tree, self.mirror, "sid")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        lines = run.stdout.splitlines()
        self.assertEqual(lines[:2], ["I: The script 'sid' is not used: no suite needs one", "I: Retrieving InRelease "])
        self.assertEqual(lines[-1], "I: Base system installed successfully.")
        self.assertEqual([line for line in lines if not line.startswith("I: ")], [])
        expected = {f"{path}: extra (file)" for path in
                    ("etc/fstab", *(f"etc/{name}" for name in ("hostname", "resolv.conf") if os.path.isfile(f"/etc/{name}")))}
        self.assertEqual(set(differences(self.maker.tree, tree, ["var/lib/apt/lists"])), expected)
        self.assertGreater(len(list(debs.glob("*_*_*.deb"))), 80)
        # no update is needed before
        run = self.in_tree(tree, "apt-get", "--simulate", "install", "hello")
        self.assertIn("Inst hello (", run.stdout, run.stderr)
        self.assert_nothing_left()

    def test_print_debs(self):
        run = self.run_debootstrap("--print-debs", *CHOSEN, "bookworm", self.place / "nothing", self.mirror)
        installed = self.in_tree(self.maker.tree, "dpkg-query", "--show", "--showformat", "${Package}\n").stdout.split()
        self.assertEqual((run.returncode, run.stdout), (0, " ".join(sorted(installed)) + "\n"))
        self.assertFalse((self.place / "nothing").exists())

    def test_failures(self):
        refused = self.run_debootstrap("--frobnicate", "bookworm", "tree")
        self.assertEqual((refused.returncode, refused.stdout, refused.stderr),
                         (1, "", "E: unrecognized or invalid option --frobnicate\n"))
        with ArchiveServer(self.place) as empty:
            missing = self.run_debootstrap("nosuchsuite", self.place / "tree", empty.url)
        self.assertEqual((missing.returncode, missing.stderr),
                         (1, f"E: cannot find suite 'nosuchsuite' at {empty.url}: 404 Not Found\n"))
        self.assertFalse((self.place / "tree").exists())
        (self.place / "full").mkdir()
        (self.place / "full/file").touch()
        self.assert_failed(self.bootstrap(self.place / "full"), 2, "it is not an empty directory")

    def test_two_stages(self):
        for name, second in (("by-script", lambda tree: self.in_tree(tree, "/debootstrap/debootstrap", "--second-stage")),
                             ("by-vprov", lambda tree: self.run_vprov("bootstrap", "--second-stage",
                                                                      "--second-stage-target", tree))):
            with self.subTest(name):
                tree = self.place / name
                self.assert_done(self.bootstrap(tree, "--foreign"))
                self.assertEqual((tree / "debootstrap/suite").read_text(), "bookworm\n")
                self.assertIn("have been unpacked but not yet configured", self.in_tree(tree, "dpkg", "--audit").stdout)
                self.assert_done(second(tree))
                self.assertEqual(differences(self.maker.tree, tree, SECOND_STAGE + ["run/"]), [])
        self.assert_nothing_left()

    def test_the_second_stage_goes_on_where_it_ended(self):
        tree = self.place / "tree"
        self.assert_done(self.bootstrap(tree, "--foreign"))
        (tree / "usr/bin/dpkg").rename(tree / "usr/bin/dpkg.away")
        (tree / "usr/bin/dpkg").write_text('#!/bin/sh\ncase " $* " in *" --configure "*) exit 1 ;; esac\n'
                                           'exec dpkg.away "$@"\n')
        (tree / "usr/bin/dpkg").chmod(0o755)
        failed = self.in_tree(tree, "/debootstrap/debootstrap", "--second-stage")
        self.assertEqual(failed.returncode, 1)
        self.assertRegex(failed.stderr, r"E: step \d+, configure .* failed; run this again when its cause is gone\n$")
        self.assertFalse((tree / "usr/sbin/policy-rc.d").exists())
        (tree / "usr/bin/dpkg.away").rename(tree / "usr/bin/dpkg")
        self.assert_done(self.in_tree(tree, "/debootstrap/debootstrap", "--second-stage"))
        self.assertFalse((tree / "debootstrap").exists())
        self.assertEqual(self.in_tree(tree, "dpkg", "--audit").stdout, "")

    def test_tree_of_another_architecture(self):
        tree = self.place / "arm"
        self.assert_done(self.bootstrap(tree, "--foreign", "--arch=arm64"))
        with open(tree / "usr/bin/dash", "rb") as program:
            self.assertEqual(program.read(20)[18:20], b"\xb7\x00")  # EM_AARCH64, elf(5)
        self.assertEqual((tree / "debootstrap/arch").read_text(), "arm64\n")

    def tarball(self):
        path = self.place / "debs.tar.gz"
        self.assert_done(self.bootstrap(self.place / "none", f"--make-tarball={path}"))
        return path

    def test_tarballs(self):
        path = self.tarball()
        tree = self.place / "unpacked"
        self.assert_done(self.bootstrap(tree, f"--unpack-tarball={path}"))
        self.assertEqual(differences(self.maker.tree, tree), [])
        damaged = self.place / "damaged.tar.gz"
        with tarfile.open(path) as old, tarfile.open(damaged, "w:gz") as new:
            for member in old.getmembers():
                content = old.extractfile(member)
                if member.name.endswith("_Packages"):
                    text = content.read().replace(b"\nPriority: optional\n", b"\nPriority: required\n", 1)
                    (self.place / "text").write_bytes(text)
                    content = open(self.place / "text", "rb")
                    self.addCleanup(content.close)
                new.addfile(member, content)
        self.assert_failed(self.bootstrap(self.place / "forged", f"--unpack-tarball={damaged}"), 4,
                           "in the tarball: it is not the file that the Release file lists")

    @unittest.skipUnless(shutil.which("debootstrap"), "debootstrap is not installed")
    def test_debootstrap_reads_our_tarball(self):
        path = self.tarball()
        tree = self.place / "theirs"
        run = subprocess.run(["debootstrap", *CHOSEN, f"--unpack-tarball={path}", "bookworm", tree, self.mirror],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        names = ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Status}\n"]
        self.assertEqual(self.in_tree(tree, *names).stdout, self.in_tree(self.maker.tree, *names).stdout)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "unshare", "tar")
