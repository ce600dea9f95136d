#!/usr/bin/env python3
"""A tree of vprov against mmdebstrap's for the same packages, entry by entry, and what dpkg and apt say about it.

`tree_test.py VPROV CACHE` compares bookworm's minbase; with --standard, trixie's standard system; with --debian1, the
packages of recipes/debian1.toml, kernel, initramfs and all. tests/fidelity/trees compares many more.
"""

import sys
import tomllib

import vprov_under_test
from vprov_under_test import SOURCE, VprovTest
from tree_checks import (IGNORED, automatic_in, in_tree, lines_of_triggers, members_of_initrd, mmdebstrap,
                         packages_in)
from tree_diff import IgnoreList, compare, read_tree

ADDED = ["dbus", "linux-image-cloud-amd64"]  # by the plan, to what this recipe names


class TreeTest:
    """What each package set is put through; the classes below say how their trees are made."""

    SUITE = "bookworm"
    PEER = "minbase"  # mmdebstrap's variant
    NAME_ALL = False  # whether mmdebstrap is told all packages of our tree

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maker = cls("make_trees")
        cls.maker.setUp()
        cls.addClassCleanup(cls.maker.doCleanups)
        cls.maker.make_trees()

    def make_trees(self):
        self.ours, self.theirs = self.place / "ours", self.place / "theirs"
        mirror = vprov_under_test.host_mirror()
        self.assert_done(self.run_vprov("bootstrap", *self.OPTIONS, "--no-updates", "--no-layers", "--cache-dir", self.cache, self.SUITE,
                                        self.ours, mirror))
        names = [package.split("=")[0] for package in packages_in(self.ours)]
        mmdebstrap(self.SUITE, self.theirs, mirror, self.PEER, names if self.NAME_ALL else ())
        self.read = read_tree(self.ours), read_tree(self.theirs)  # before apt leaves its caches in them

    def trees(self):
        return self.maker.ours, self.maker.theirs

    def test_packages(self):
        ours, theirs = self.trees()
        self.assertEqual(packages_in(ours), packages_in(theirs))

    def test_entries(self):
        ours, theirs = self.maker.read
        ignored = IgnoreList(IGNORED)
        differences = [str(difference) for difference in compare(theirs, ours)
                       if not ignored.excuses(difference)]
        self.assertEqual(differences, [], "\n".join(differences))
        print(f"\n{len(ours)} entries; lines of the ignore list without use: {' '.join(ignored.unused()) or 'none'}")

    def test_triggers(self):
        ours, theirs = (lines_of_triggers(tree) for tree in self.trees())
        self.assertEqual(ours, theirs)

    def test_marks(self):
        """Whatever mmdebstrap's apt calls automatic is so here, and nothing that apt would then want to remove."""
        ours, theirs = self.trees()
        self.assertEqual(automatic_in(theirs) - automatic_in(ours), set())
        run = in_tree(ours, "apt-get", "--simulate", "autoremove")
        self.assertIn("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.", run.stdout, run.stderr)

    def test_dpkg_and_apt(self):
        ours, _ = self.trees()
        for command in (["dpkg", "--audit"], ["apt-get", "--quiet=2", "check"], ["dpkg", "--verify"]):
            with self.subTest(command=" ".join(command)):
                run = in_tree(ours, *command)
                self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_sandbox_left_nothing(self):
        ours, _ = self.trees()
        self.assertFalse((ours / "usr/sbin/policy-rc.d").exists())
        self.assertEqual(list((ours / "run").iterdir()), [])
        self.assertEqual(list((ours / "tmp").iterdir()), [])
        self.assertEqual((ours / "proc").stat().st_dev, ours.stat().st_dev)
        self.maker.assert_all_ended()


class MinbaseTest(TreeTest, VprovTest):
    OPTIONS = ["--variant=minbase"]


class StandardTest(TreeTest, VprovTest):
    SUITE = "trixie"
    OPTIONS = ["--variant=standard"]
    PEER = "important"  # its name for what debootstrap installs without --variant


class Debian1Test(TreeTest, VprovTest):
    RECIPE = tomllib.loads((SOURCE / "recipes/debian1.toml").read_text())["system"]
    OPTIONS = [f"--variant={RECIPE['variant']}", f"--include={','.join([*RECIPE['include'], *ADDED])}"]
    NAME_ALL = True

    def test_initrd(self):
        ours, theirs = self.trees()
        images = [path.name for path in (ours / "boot").iterdir() if path.name.startswith("initrd.img-")]
        self.assertEqual(len(images), 1)
        members = members_of_initrd(ours, images[0])
        self.assertIn("init", "\n".join(members))
        self.assertEqual(members, members_of_initrd(theirs, images[0]))


if __name__ == "__main__":
    classes = {"--debian1": "Debian1Test", "--standard": "StandardTest"}
    chosen = [classes[word] for word in sys.argv if word in classes] or ["MinbaseTest"]
    sys.argv = [word for word in sys.argv if word not in classes] + [*chosen, "-v"]
    vprov_under_test.main("root", "network", "mmdebstrap", "unshare")
