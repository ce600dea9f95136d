#!/usr/bin/env python3
"""Building without root: by a user with subordinate ids, by one without, and in a container with a masked /proc."""

import os
import pathlib
import re
import signal
import subprocess

import vprov_under_test
from ordinary_user import SUBORDINATE, UID, OrdinaryUserTest
from tree_checks import NODES
from vprov_under_test import INTERRUPTED, USAGE, tiny_recipe
from tree_diff import compare, read_tree

# Root of a container that has ids and may mount: runc and crun cover such places of /proc and /sys.
MASK = ('mount -t proc proc /proc && mount -t tmpfs none /proc/fs && mount --bind /dev/null /proc/interrupts && '
        'mount -t tmpfs none /sys/kernel && ! unshare --user --map-root-user --mount --pid --fork mount -t proc proc /mnt '
        '2>/dev/null || exit 99; exec "$@"')
CONTAINER = ["unshare", "--user", "--map-auto", "--map-root-user", "--mount", "--pid", "--fork", "--propagation",
             "private", "sh", "-c", MASK, "sh"]
IN_NAMESPACE = ["unshare", "--user", "--map-auto", "--map-root-user"]


class RootlessTest(OrdinaryUserTest):
    expected = None

    def bootstrap(self, prefix, target, cache=None):
        run = self.run_as(prefix, self.program, "bootstrap", "--variant=essential", "--no-updates", "--no-layers",
                          "--cache-dir", cache or self.user_cache, "bookworm", target, self.mirror)
        self.assert_done(run)
        return run.stderr

    def remove(self, path):
        self.assert_done(self.run_as([*self.as_user(), *IN_NAMESPACE], "rm", "-r", path))

    def tree_of_root(self):
        cls = type(self)
        if cls.expected is None:
            self.bootstrap([], self.place / "root", self.cache)
            cls.expected = read_tree(self.place / "root")
        return cls.expected

    def tree_seen_from_inside(self, path, prefix):
        """As root of the namespace sees it, by way of a tar file."""
        archive = self.place / "tree.tar"
        self.assert_done(self.run_as([*prefix, *IN_NAMESPACE], "tar", "--numeric-owner", "--xattrs", "--xattrs-include=*",
                                     "-C", path, "-cf", archive, "."))
        return read_tree(archive)

    def assert_same_but_for_devices(self, tree):
        differences = [str(difference) for difference in compare(self.tree_of_root(), tree)]
        self.assertEqual(differences, [f"dev/{name}: missing (character device)" for name in NODES])

    def test_user_with_subordinate_ids(self):
        said = self.bootstrap(self.as_user(), self.place / "tree")
        self.assertIn("warning: the tree has no device files: only root can make them in a directory", said)
        self.assertEqual((self.place / "tree").stat().st_uid, UID)
        self.assertEqual((self.place / "tree/var/mail").stat().st_gid, 300000 + 8 - 1)
        self.assert_same_but_for_devices(self.tree_seen_from_inside(self.place / "tree", self.as_user()))
        self.remove(self.place / "tree")
        self.assert_nothing_left()

    def test_user_with_a_single_id(self):
        said = self.bootstrap(self.as_user(None), self.place / "tree")
        self.assertRegex(said, r"warning: every file will belong to one user: 'tester' has no line in /etc/subuid; the fix is: "
                               r"sudo usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ tester\n")
        owners = {status.st_uid for path in (self.place / "tree").rglob("*") for status in [path.lstat()]}
        self.assertEqual(owners, {UID})
        expected, tree = self.tree_of_root(), read_tree(self.place / "tree")
        different = {difference.aspect for difference in compare(expected, tree) if not difference.path.startswith("dev/")}
        self.assertEqual(different, {"owner"})

    def test_container(self):
        self.bootstrap([*self.as_user(), *CONTAINER], self.place / "tree")
        self.assert_same_but_for_devices(self.tree_seen_from_inside(self.place / "tree", self.as_user()))
        self.remove(self.place / "tree")
        self.assert_nothing_left()

    def debugfs(self, image, command):
        return subprocess.run(["debugfs", "-R", command, image], capture_output=True, text=True, check=True).stdout

    def content_of_image(self, image, name):
        """Its files as debugfs copies them, which leaves out devices; and what it says of each of these."""
        folder = self.place / name
        folder.mkdir()
        self.debugfs(image, f"rdump / {folder}")
        nodes = {}
        for node in NODES:
            said = self.debugfs(image, f"stat /dev/{node}")
            nodes[node] = [re.search(pattern, said).group(1) for pattern in
                           (r"Type: (.+?) +Mode", r"Mode: +(\d+)", r"User: +(\d+)", r"Group: +(\d+)",
                            r"Device major/minor number: (\S+)")]
        return read_tree(folder), nodes

    def test_images_have_the_devices(self):
        recipe = self.recipe(tiny_recipe(mirror=self.mirror))
        contents, logs = [], []
        for prefix, name, cache in (([], "root", self.cache), (self.as_user(), "user", self.user_cache)):
            self.assert_done(self.run_as(prefix, self.program, "build", recipe, "--output", self.place / name, "--cache-dir",
                                         cache))
            image = self.place / name / "tiny/root.img"
            self.assertEqual(image.stat().st_uid, UID if prefix else 0)
            contents.append(self.content_of_image(image, name + "-content"))
            logs.append({path.name: path.read_text() for path in (self.place / name / "tiny/log").iterdir()})
        (of_root, nodes), (of_user, user_nodes) = contents
        self.assertEqual([str(difference) for difference in compare(of_root, of_user)], [])
        self.assertEqual(nodes["null"], ["character special", "0666", "0", "0", "01:03"])
        self.assertEqual(user_nodes, nodes)
        self.assertEqual(logs[0], logs[1])
        self.assertEqual(logs[0]["mawk.log"], "update-alternatives: using /usr/bin/mawk to provide /usr/bin/awk (awk) in auto "
                                              "mode\n")

    def test_layers_are_kept_apart(self):
        """With other ids the same packages make another tree."""
        recipe = self.recipe(tiny_recipe(mirror=self.mirror))
        said = []
        for subordinate in (SUBORDINATE, SUBORDINATE, None):
            run = self.run_as(self.as_user(subordinate), self.program, "build", recipe, "--cache-dir", self.user_cache)
            self.assert_done(run)
            said.append("from base" in run.stderr)
        self.assertEqual(said[1:], [True, False])

    def start_bootstrap(self):
        process = subprocess.Popen([*self.as_user(), self.program, "-v", "bootstrap", "--variant=essential", "--no-updates",
                                    "--no-layers", "--cache-dir", str(self.user_cache), "bookworm",
                                    str(self.place / "tree"), self.mirror],
                                   env=self.environment(), cwd=self.place, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(self.end, process)
        for line in process.stderr:
            if "Setting up" in line:  # a script runs, and files of subordinate ids are there
                return process
        self.fail("no package was set up")

    def work_directories(self):
        return [path.name for path in self.place.iterdir() if path.name.startswith(".tree-build-")]

    def test_stopped(self):
        process = self.start_bootstrap()
        process.send_signal(signal.SIGTERM)  # to the one process that the user knows of
        process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assert_all_ended()
        self.assertEqual(self.work_directories(), [])

    def test_killed(self):
        process = self.start_bootstrap()
        process.kill()
        process.communicate()
        self.assert_all_ended()
        self.assertEqual(len(self.work_directories()), 1)
        owners = {path.lstat().st_uid for path in self.place.glob(".tree-build-*/**/*")}
        self.assertEqual(owners, {UID})
        groups = {path.lstat().st_gid for path in self.place.glob(".tree-build-*/**/*")}
        self.assertTrue(any(group >= 300000 for group in groups), groups)
        self.bootstrap(self.as_user(), self.place / "tree")
        self.assertEqual(self.work_directories(), [])
        self.remove(self.place / "tree")

    def test_forbidden_namespaces(self):
        forbid = ["unshare", "--user", "--map-root-user", "sh", "-c",
                  'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all "$@"', "sh"]
        run = self.run_as([*self.as_user(), *forbid], self.program, "bootstrap", "bookworm", self.place / "tree",
                          self.mirror)
        self.assert_failed(run, USAGE,
                           "vprov: cannot make a user namespace: No space left on device: user.max_user_namespaces is 0; "
                           "the fix is: sudo sysctl -w user.max_user_namespaces=15000\n")
        run = self.run_as([*self.as_user(), *forbid], self.program, "doctor")
        self.assertEqual(run.returncode, USAGE)
        self.assertRegex(run.stdout, r"(?m)^missing +namespaces +cannot be made: user.max_user_namespaces is 0\n"
                                     r" +sudo sysctl -w user.max_user_namespaces=15000$")
        self.assertTrue(run.stdout.endswith("Guests cannot be built here.\n"), run.stdout)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "unshare", "setpriv", "newuidmap", "debugfs", "tar")
