#!/usr/bin/env python3
"""A tree of vprov against mmdebstrap's for the same packages, entry by entry, and what dpkg and apt say about it.

`tree_test.py VPROV CACHE` compares bookworm's minbase; with --debian1 it compares the packages of recipes/debian1.toml,
kernel, initramfs and all.
"""

import subprocess
import sys
import tomllib

import vprov_under_test
from vprov_under_test import SOURCE, VprovTest
from tree_diff import IgnoreList, compare, read_tree

MERGED_USR = "/usr/share/mmdebstrap/hooks/maybe-merged-usr"
ADDED = ["dbus", "linux-image-cloud-amd64"]  # by the plan, to what this recipe names


def in_tree(tree, *command):
    """In a mount namespace of its own, where /proc, which some of the programs want, is seen by nobody else."""
    script = 'mount -t proc proc "$1/proc" && shift && exec chroot "$@"'
    return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", tree, tree, *command],
                          capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"})


def packages_in(tree):
    listed = in_tree(tree, "dpkg-query", "--show", "--showformat", "${Package}=${Version}\n")
    return sorted(listed.stdout.split())


def automatic_in(tree):
    return set(in_tree(tree, "apt-mark", "showauto").stdout.split())


def members_of_initrd(tree, name):
    """Kinds, owners, sizes and names: the times that cpio records differ with every run."""
    listed = in_tree(tree, "lsinitramfs", "-l", f"/boot/{name}").stdout
    lines = [line.split() for line in listed.splitlines()]
    return sorted(" ".join(words[:1] + words[2:4] + ([] if words[0][0] == "d" else words[4:5]) + words[8:])
                  for words in lines if len(words) > 8)


class TreeTest:
    """What both package sets are put through; the two classes below say how their trees are made."""

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
        self.assert_done(self.run_vprov("bootstrap", *self.OPTIONS, "--no-updates", "--cache-dir", self.cache, "bookworm",
                                        self.ours, mirror))
        names = ",".join(package.split("=")[0] for package in packages_in(self.ours))
        run = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--hook-dir={MERGED_USR}",
                              *([f"--include={names}"] if self.NAME_ALL else []), "bookworm", self.theirs, mirror],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.read = read_tree(self.ours), read_tree(self.theirs)  # before apt leaves its caches in them

    def trees(self):
        return self.maker.ours, self.maker.theirs

    def test_packages(self):
        ours, theirs = self.trees()
        self.assertEqual(packages_in(ours), packages_in(theirs))

    def test_entries(self):
        ours, theirs = self.maker.read
        ignored = IgnoreList(SOURCE / "tests/e2e/tree-ignore.txt")
        differences = [str(difference) for difference in compare(theirs, ours)
                       if not ignored.excuses(difference)]
        self.assertEqual(differences, [], "\n".join(differences))
        print(f"\n{len(ours)} entries; lines of the ignore list without use: {' '.join(ignored.unused()) or 'none'}")

    def test_triggers(self):
        ours, theirs = (sorted((tree / "var/lib/dpkg/triggers/File").read_text().splitlines()) for tree in self.trees())
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
        self.assertEqual(vprov_under_test.processes_in(self.maker.place), {})


class MinbaseTest(TreeTest, VprovTest):
    OPTIONS = ["--variant=minbase"]
    NAME_ALL = False


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
    chosen = "Debian1Test" if "--debian1" in sys.argv else "MinbaseTest"
    sys.argv = [word for word in sys.argv if word != "--debian1"] + [chosen, "-v"]
    vprov_under_test.main("root", "network", "mmdebstrap", "unshare")
