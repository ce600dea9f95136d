#!/usr/bin/env python3
"""Unpacked packages as vprov leaves them, against `dpkg --root=TREE --unpack` of the same .debs in the same order.

`unpack_test.py UNPACK_TOOL`. Needs root, for owners, and the host's dpkg. Compared are all paths of the tree with kinds,
modes, owners, contents, links and times, and dpkg's database: status by its fields, lists, digests, triggers.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from make_archive import build_deb  # noqa: E402
from tree_diff import compare, read_tree  # noqa: E402

SKIPPED = 77
BASE = pathlib.PurePath("var/lib/dpkg")
# Files of the database that say nothing about what is unpacked, and those that are compared by their fields.
NOT_COMPARED = {str(BASE / name) for name in ("available", "available-old", "lock", "lock-frontend", "status", "status-old",
                                              "triggers/Lock", "cmethopt", "diversions-old", "statoverride-old", "arch",
                                              "arch-new", "alternatives", "methods", "parts", "info", "updates",
                                              "triggers", "tmp.ci")}
unpack_tool = None


def deb(name, files=None, version="1", arch="all", **more):
    return {"name": name, "version": version, "arch": arch, "files": files or {}, "compression": "gzip", **more}


def stanzas(path):
    """Package and architecture -> {field: value}."""
    found = {}
    for text in path.read_text().split("\n\n"):
        fields, name = {}, None
        for line in text.splitlines():
            if line[0] in " \t":
                fields[name] += "\n" + line
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if fields:
            found[f"{fields['Package']}:{fields['Architecture']}"] = fields
    return found


class UnpackTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="vprov-fidelity-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.ours, self.theirs = self.place / "ours", self.place / "theirs"
        self.debs = []

    def make_roots(self, prepare=lambda root: None):
        """Two trees that are the same, with an empty database."""
        for root in (self.ours, self.theirs):
            for folder in ("info", "updates", "triggers", "alternatives", "parts"):
                (root / BASE / folder).mkdir(parents=True)
            (root / BASE / "status").touch()
            (root / "etc").mkdir()
            for name in ("passwd", "group"):
                shutil.copyfile(f"/etc/{name}", root / "etc" / name)
            (root / "usr/bin").mkdir(parents=True)
            (root / "bin").symlink_to("usr/bin")
            prepare(root)
            for path in [root, *root.rglob("*")]:
                os.utime(path, (1600000000, 1600000000), follow_symlinks=False)

    def dpkg(self, root, *arguments):
        return subprocess.run(["dpkg", f"--root={root}", "--log=/dev/null", "--force-unsafe-io", *arguments],
                              capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})

    def unpack(self, packages, architecture="amd64"):
        """What dpkg said on standard error, and what vprov said; "" where all went well."""
        for number, package in enumerate(packages):
            path = self.place / f"{number}-{package['name']}.deb"
            build_deb(package, path)
            self.debs.append(path)
        theirs = self.dpkg(self.theirs, "--unpack", *map(str, self.debs))
        ours = subprocess.run([unpack_tool, str(self.ours), architecture, *map(str, self.debs)], capture_output=True,
                              text=True, check=False)
        return theirs.stderr, ours.stdout + ours.stderr

    def assert_same(self, packages, architecture="amd64"):
        theirs, ours = self.unpack(packages, architecture)
        self.assertEqual((theirs, ours), ("", ""))
        self.compare_roots({"triggers/Unincorp"})  # dpkg has read its own again, and dropped what is not configured yet
        if not any(package.get("scripts") for package in packages):  # they would need a shell in the tree
            for root in (self.theirs, self.ours):
                run = self.dpkg(root, "--configure", "--pending")
                self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.compare_roots(set())

    def compare_roots(self, more_not_compared):
        not_compared = NOT_COMPARED | {str(BASE / name) for name in more_not_compared}
        read = [{path: entry for path, entry in read_tree(root).items() if path not in not_compared}
                for root in (self.theirs, self.ours)]
        for root, tree in zip((self.theirs, self.ours), read):
            for path, entry in tree.items():
                if not path.startswith("var/lib") and entry["kind"] != "directory":
                    entry["mtime"] = str((root / path).lstat().st_mtime_ns)
        self.assertEqual([str(difference) for difference in compare(*read)], [])
        self.assertEqual(stanzas(self.ours / BASE / "status"), stanzas(self.theirs / BASE / "status"))

    def test_modes_owners_and_kinds(self):
        self.make_roots()
        self.assert_same([deb("a", {
            "/usr/bin/setuid": {"content": "s", "mode": 0o4755, "owner": (0, 0)},
            "/usr/bin/setgid": {"content": "g", "mode": 0o2755, "owner": (0, 42)},
            "/usr/bin/both": {"content": "b", "mode": 0o6711, "owner": (33, 33)},
            "/bin/through-the-link": {"content": "x", "mode": 0o755},
            "/var/spool/sticky": {"directory": True, "mode": 0o1777},
            "/var/mail": {"directory": True, "mode": 0o2775, "owner": (0, 8)},
            "/var/private": {"directory": True, "mode": 0o700, "owner": (33, 33)},
            "/usr/empty": "",
            "/usr/unreadable": {"content": "u", "mode": 0},
            "/usr/lib/a.so": {"link": "a.so.1"},
            "/usr/dangling": {"link": "/nowhere/at all"},
            "/usr/link-of-www": {"link": "x", "owner": (33, 33)},
            "/run/pipe": {"pipe": True, "mode": 0o600, "owner": (33, 0)},
            "/usr/share/name with blanks and ü": "n",
            "/usr/" + "d/" * 60 + "f": "deep",
            "/usr/share/" + "n" * 200: "long",
        })])

    def test_hard_links(self):
        self.make_roots()
        self.assert_same([deb("a", {
            "/usr/bin/one": {"content": "1", "mode": 0o755},
            "/usr/bin/three": {"hardlink": "/usr/bin/one"},
            "/usr/share/two": {"hardlink": "/usr/bin/one"},
            "/etc/conf": "c",
            "/etc/conf2": {"hardlink": "/etc/conf"},
            "/etc/conf3": {"hardlink": "/etc/conf"},
        }, conffiles=["/etc/conf", "/etc/conf3"])])

    def test_conffiles(self):
        self.make_roots()
        self.assert_same([
            deb("a", {"/etc/a/one": "1", "/etc/a/two": "2", "/etc/plain": "p"}, conffiles=["/etc/a/one", "/etc/a/two"]),
            deb("b", {"/etc/b": "b"}, control_files={"conffiles": "/etc/b\nremove-on-upgrade /etc/b-old\n"}),
            deb("c", {"/usr/c": "c"}, control_files={"conffiles": "remove-on-upgrade /etc/c-old\n"}),
            deb("d", {"/usr/d": "d"}, control_files={"conffiles": "/etc/not-shipped\n"}),
        ])

    def test_digests(self):
        self.make_roots()
        self.assert_same([
            deb("with", {"/usr/w": "w"}, control_files={"md5sums": "f1290186a5d0b1ceab27f4e77c0c5d68  usr/w\n"}),
            deb("without", {"/usr/x": "x", "/usr/y": {"link": "x"}, "/usr/z": {"hardlink": "/usr/x"}, "/etc/c": "c"},
                conffiles=["/etc/c"]),
            deb("nothing"),
        ])

    def test_control_files(self):
        self.make_roots()
        script = "#!/bin/sh\nexit 0\n"
        self.assert_same([
            deb("a", scripts={"postinst": script, "prerm": script, "postrm": script, "config": script},
                control_files={"templates": "Template: a/b\n", "shlibs": "liba 1 a\n", "symbols": "x\n", "isinstallable": "y"},
                fields={"Depends": "b (>= 1), c | d", "Suggests": "e", "X-Own": "own", "Homepage": "http://example.org",
                        "Section": "games", "Priority": "extra", "Source": "other (1.2)",
                        "Description": "short\n long\n .\n  more"}),
        ])

    def test_diversions(self):
        def divert(root):
            for owner, path, to in (("b", "/usr/bin/x", "/usr/bin/x.of-b"), (None, "/usr/local-y", "/usr/local-y.distrib"),
                                    ("b", "/usr/elsewhere", "/opt/there")):
                subprocess.run(["dpkg-divert", f"--root={root}", "--quiet", "--no-rename", "--add", "--divert", to,
                                *(["--package", owner] if owner else ["--local"]), path], check=True)
            (root / "opt").mkdir()
        self.make_roots(divert)
        self.assert_same([
            deb("a", {"/usr/bin/x": "a's", "/usr/local-y": "a's", "/usr/elsewhere": "a's",
                      "/usr/hard": {"hardlink": "/usr/bin/x"}}),
            deb("b", {"/usr/bin/x": "b's", "/usr/elsewhere": {"link": "x"}}),
        ])

    def test_replaces(self):
        self.make_roots()
        self.assert_same([
            deb("old", {"/usr/moved": "old", "/usr/kept": "old", "/usr/taken": "old"}),
            deb("new", {"/usr/moved": "new"}, fields={"Replaces": "old (<< 2)"}),
            deb("newer", {"/usr/newer": "newer", "/usr/both": "newer"}, fields={"Replaces": "later, old"}),
            deb("later", {"/usr/newer": "later", "/usr/own": "later", "/usr/both": {"link": "own"}}),
            deb("virtual", {"/usr/taken": "virtual"}, fields={"Replaces": "old (<< 1.1), nobody"}),
        ])

    def test_a_file_of_another_package(self):
        self.make_roots()
        theirs, ours = self.unpack([deb("a", {"/usr/f": "a"}), deb("b", {"/usr/f": "b"}, fields={"Replaces": "a (<< 1)"})])
        self.assertIn("trying to overwrite '/usr/f', which is also in package a 1", theirs)
        self.assertEqual(ours, "cannot unpack b 1: trying to overwrite '/usr/f', which is also in package a 1\n")

    def test_directories_and_links(self):
        def prepare(root):
            (root / "usr/real").mkdir()
            (root / "usr/alias").symlink_to("real")
            (root / "usr/mode").mkdir(mode=0o700)
        self.make_roots(prepare)
        self.assert_same([
            deb("a", {"/usr/alias": {"directory": True}, "/usr/alias/f": "f", "/usr/mode": {"directory": True, "mode": 0o755},
                      "/usr/share/a": {"directory": True, "mode": 0o2755}}),
            deb("b", {"/usr/real": {"link": "elsewhere"}, "/usr/share/a": {"directory": True, "mode": 0o700}}),
        ])

    def test_triggers(self):
        self.make_roots()
        self.assert_same([
            deb("a", {"/usr/share/a/f": "f"}, triggers="# all kinds\ninterest /usr/share/a\ninterest-await /usr/share/b\n"
                "interest-noawait /usr/share/c\n\ninterest explicit\ninterest-noawait explicit-noawait\n"),
            deb("b", {"/usr/share/b/f": "f", "/usr/share/a/g": "g"},
                triggers="interest-noawait /usr/share/a\ninterest-await explicit\nactivate other\n"),
            deb("c", {"/usr/share/c/f": "f", "/usr/share/c-not": "n"}, triggers="activate-noawait explicit\n"),
            deb("liba", triggers="interest explicit\ninterest /usr/lib/same\n", arch="amd64", fields={"Multi-Arch": "same"}),
        ])

    def test_two_architectures(self):
        self.make_roots(lambda root: self.dpkg(root, "--add-architecture", "i386"))
        shared = {"/usr/share/doc/liba/copyright": "free\n", "/usr/share/doc/liba/link": {"link": "copyright"},
                  "/etc/liba.conf": "conf\n"}
        self.assert_same([
            deb("liba", {**shared, "/usr/lib/x86_64/liba.so": "64"}, arch="amd64", fields={"Multi-Arch": "same"},
                conffiles=["/etc/liba.conf"], scripts={"postinst": "#!/bin/sh\n"}),
            deb("liba", {**shared, "/usr/lib/i386/liba.so": "32"}, arch="i386", fields={"Multi-Arch": "same"},
                conffiles=["/etc/liba.conf"], scripts={"postinst": "#!/bin/sh\n"}),
            deb("tool", {"/usr/bin/tool": "32"}, arch="i386", fields={"Multi-Arch": "foreign"}),
        ])

    def test_two_architectures_that_differ(self):
        self.make_roots(lambda root: self.dpkg(root, "--add-architecture", "i386"))
        theirs, ours = self.unpack([
            deb("liba", {"/usr/share/f": "64"}, arch="amd64", fields={"Multi-Arch": "same"}),
            deb("liba", {"/usr/share/f": "32"}, arch="i386", fields={"Multi-Arch": "same"}),
        ])
        self.assertIn("trying to overwrite shared '/usr/share/f', which is different from other instances of package liba",
                      theirs)
        self.assertEqual(ours, "cannot unpack liba 1: trying to overwrite shared '/usr/share/f', which is different from "
                         "other instances of package liba\n")

    def test_overridden_modes(self):
        def override(root):
            for owner, group, mode, path in (("root", "#42", "4711", "/usr/bin/f"), ("www-data", "daemon", "0750", "/usr/dir"),
                                             ("daemon", "root", "0600", "/etc/conf")):
                subprocess.run(["dpkg-statoverride", f"--root={root}", "--quiet", "--add", owner, group, mode, path],
                               check=True)
        self.make_roots(override)
        self.assert_same([deb("a", {"/usr/bin/f": {"content": "f", "mode": 0o755}, "/usr/dir": {"directory": True},
                                    "/usr/bin/other": "o", "/etc/conf": "c"}, conffiles=["/etc/conf"])])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} UNPACK_TOOL [unittest arguments]")
    if os.geteuid() != 0 or not shutil.which("dpkg-statoverride"):
        print("skipped: owners are compared, which needs root, and dpkg")
        sys.exit(SKIPPED)
    unpack_tool = sys.argv.pop(1)
    unittest.main(verbosity=2)
