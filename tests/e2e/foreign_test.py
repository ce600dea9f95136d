#!/usr/bin/env python3
"""Trees of an architecture that this machine does not run: with an emulator, and without one.

Each vprov runs in a user and mount namespace of its own with its own binfmt_misc, which is empty but for what a test
registers there: what the machine has registered plays no part, and nothing is registered outside.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import vprov_under_test
from vprov_under_test import DONE, SKIPPED, USAGE, VprovTest

EMULATOR = "qemu-aarch64-static"
DEFINITION = pathlib.Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # of the package qemu-user-static
FIRST_LINUX = (6, 7)  # with a binfmt_misc in each user namespace
ENTER = 'read mapped && exec setpriv --reuid=0 --regid=0 --clear-groups "$@"'
REGISTER = ('mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 99; '
            'if [ -n "$1" ]; then printf %s "$1" > /proc/sys/fs/binfmt_misc/register || exit 99; fi; shift; exec "$@"')
NODES = ["console", "full", "null", "ptmx", "random", "tty", "urandom", "zero"]
RECIPE = """name = "tiny"
[system]
suite = "bookworm"
arch = "arm64"
variant = "essential"
mirror = "{mirror}"
updates = false
security = false
[system.kernel]
package = ""
[[disk]]
size = "512M"
filesystem = "ext4"
mount = "/"
"""
REFUSAL = """vprov: cannot run the scripts of arm64 packages here: {cause}; the fix is: {fix}
Without them: 'vprov bootstrap --foreign --arch=arm64' unpacks a tree that is completed where they run
"""


def why_not_here():
    version = tuple(int(number) for number in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
    if version < FIRST_LINUX:
        return f"Linux {os.uname().release} has no binfmt_misc for user namespaces (6.7 has)"
    if os.uname().machine != "x86_64":
        return "this machine is no amd64"
    if not DEFINITION.exists():
        return f"{DEFINITION} of qemu-user-static is not there"
    probe = run_in_namespace("", ["true"])
    return f"no namespace with a binfmt_misc can be made: {probe.stderr}" if probe.returncode else None


def definition(flags):
    """As binfmt_misc takes it, with other flags than the package's."""
    line = DEFINITION.read_text().strip()
    return f"{line.rpartition(':')[0]}:{flags}"


def run_in_namespace(registered, command, **options):
    """As root of a user namespace that has all ids. Only its parent may map them all, and unshare(1) maps ranges of
    /etc/subuid only."""
    process = subprocess.Popen(["unshare", "--user", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh",
                                "sh", "-c", REGISTER, "sh", registered, *map(str, command)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    ours = os.readlink("/proc/self/ns/user")
    while process.poll() is None and os.readlink(f"/proc/{process.pid}/ns/user") == ours:
        time.sleep(0.01)
    for kind in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{process.pid}/{kind}").write_text("0 0 4294967295\n")
    output, errors = process.communicate("mapped\n", timeout=vprov_under_test.DEADLINE)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


class ForeignTest(VprovTest):
    def in_namespace(self, registered, *command):
        return run_in_namespace(registered, command, env=self.environment(), cwd=self.place)

    def bootstrap(self, registered, target, *options, cache=None):
        return self.in_namespace(registered, vprov_under_test.vprov, "bootstrap", "--arch=arm64", "--no-updates",
                                 "--variant=essential", "--cache-dir", cache or self.cache, *options, "bookworm", target,
                                 vprov_under_test.host_mirror())

    def in_tree(self, tree, *command):
        script = 'mount --rbind /proc "$1/proc" && shift && exec chroot "$@"'
        run = self.in_namespace(definition("OPF"), "sh", "-c", script, "sh", tree, tree, "/usr/bin/env", "-i", "LC_ALL=C",
                                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command)
        self.assert_done(run)
        return run.stdout

    def test_scripts_are_emulated(self):
        tree = self.place / "tree"
        self.assert_done(self.bootstrap(definition("OPF"), tree, "--no-layers"))
        self.assertEqual(self.in_tree(tree, "dpkg", "--print-architecture"), "arm64\n")
        self.assertEqual(self.in_tree(tree, "uname", "-m"), "aarch64\n")
        self.assertEqual(self.in_tree(tree, "dpkg", "--audit"), "")
        self.assertEqual(self.in_tree(tree, "dpkg", "--verify"), "")
        states = self.in_tree(tree, "dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Architecture}\n")
        self.assertEqual(set(states.splitlines()), {"installed arm64", "installed all"})
        self.assertTrue((tree / "etc/ld.so.cache").exists())  # made by libc's trigger, the first of the scripts
        self.assertEqual(list(tree.glob("usr/bin/qemu-*")), [])
        self.assertEqual([name for name in NODES if (tree / "dev" / name).exists()], [])
        self.assert_nothing_left()

    def assert_refused(self, run, cause, fix):
        self.assertEqual((run.returncode, run.stdout, run.stderr), (USAGE, "", REFUSAL.format(cause=cause, fix=fix)))
        self.assert_nothing_left()

    def test_without_an_emulator(self):
        fix = "sudo update-binfmts --enable qemu-aarch64" if shutil.which("update-binfmts") else (
            "sudo systemctl restart systemd-binfmt" if os.path.exists("/run/systemd/system") else
            "sudo apt install binfmt-support")
        cause = "no emulator is registered for their programs (binfmt_misc)"
        cache = self.place / "cache"
        with self.subTest("bootstrap"):
            self.assert_refused(self.bootstrap("", self.place / "tree", cache=cache), cause, fix)
            self.assertFalse((self.place / "tree").exists())
        with self.subTest("build"):
            recipe = self.recipe(RECIPE.format(mirror=vprov_under_test.host_mirror()))
            self.assert_refused(self.in_namespace("", vprov_under_test.vprov, "build", recipe, "--output", self.output,
                                                  "--cache-dir", cache), cause, fix)
        self.assertEqual([path for path in cache.rglob("*") if path.is_file()], [])  # nothing was fetched

    def test_an_emulator_for_the_root_directory_only(self):
        self.assert_refused(self.bootstrap(definition("OP"), self.place / "tree"),
                            "their emulator works in the host's root directory only (binfmt_misc without flag F)",
                            "sudo apt install qemu-user-static binfmt-support")

    def test_doctor_tries(self):
        for registered, verdict in ((definition("OPF"), "ok"), (definition("OP"), "missing"), ("", "missing")):
            run = self.in_namespace(registered, vprov_under_test.vprov, "doctor", "--json")
            found = {check["subject"]: check["verdict"] for check in json.loads(run.stdout)}
            self.assertEqual((found["arm64 programs"], found["riscv64 programs"]), (verdict, "missing"))

    def test_unpacking_and_planning_need_no_emulator(self):
        recipe = self.recipe(RECIPE.format(mirror=vprov_under_test.host_mirror()))
        run = self.in_namespace("", vprov_under_test.vprov, "plan", recipe, "--cache-dir", self.cache)
        self.assertEqual(run.returncode, DONE, run.stderr)
        self.assertIn("  system         debian bookworm, arm64, essential\n", run.stdout)
        tree = self.place / "tree"
        self.assert_done(self.bootstrap("", tree, "--foreign"))
        stage = self.in_namespace("", vprov_under_test.vprov, "bootstrap", "--second-stage", "--second-stage-target", tree)
        self.assertEqual(stage.returncode, USAGE)
        self.assertIn("cannot run the scripts of arm64 packages here: no emulator is registered", stage.stderr)

    def test_a_guest_of_it_is_not_launched(self):
        recipe = self.recipe(RECIPE.format(mirror=vprov_under_test.host_mirror()))
        self.assert_failed(self.build(recipe, "--launch"), USAGE,
                           "vprov: cannot launch 'tiny': guests run on qemu-system-x86_64, and it is for arm64")


if __name__ == "__main__":
    reason = why_not_here() if os.geteuid() == 0 else None
    if reason:
        print(f"skipped: {reason}")
        raise SystemExit(SKIPPED)
    vprov_under_test.main("root", "network", EMULATOR)
