#!/usr/bin/env python3
"""Trees of an architecture that this machine does not run: with an emulator, and without one."""

import json
import os
import shutil

import emulation
import vprov_under_test
from emulation import definition
from tree_checks import NODES
from vprov_under_test import DONE, SKIPPED, USAGE, VprovTest, tiny_recipe

REFUSAL = """vprov: cannot run the scripts of arm64 packages here: {cause}; the fix is: {fix}
Without them: 'vprov bootstrap --foreign --arch=arm64' unpacks a tree that is completed where they run
"""


class ForeignTest(VprovTest):
    def in_namespace(self, registered, *command):
        return emulation.run_in_namespace(registered, command, vprov_under_test.DEADLINE, env=self.environment(), cwd=self.place)

    def bootstrap(self, registered, target, *options, cache=None):
        return self.in_namespace(registered, vprov_under_test.vprov, "bootstrap", "--arch=arm64", "--no-updates",
                                 "--variant=essential", "--cache-dir", cache or self.cache, *options, "bookworm", target,
                                 vprov_under_test.host_mirror())

    def in_tree(self, tree, *command):
        script = 'mount --rbind /proc "$1/proc" && shift && exec chroot "$@"'
        run = self.in_namespace(definition("arm64"), "sh", "-c", script, "sh", tree, tree, "/usr/bin/env", "-i", "LC_ALL=C",
                                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command)
        self.assert_done(run)
        return run.stdout

    def test_scripts_are_emulated(self):
        tree = self.place / "tree"
        self.assert_done(self.bootstrap(definition("arm64"), tree, "--no-layers"))
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
            recipe = self.recipe(tiny_recipe(arch="arm64", mirror=vprov_under_test.host_mirror()))
            self.assert_refused(self.in_namespace("", vprov_under_test.vprov, "build", recipe, "--output", self.output,
                                                  "--cache-dir", cache), cause, fix)
        self.assertEqual([path for path in cache.rglob("*") if path.is_file()], [])  # nothing was fetched

    def test_an_emulator_for_the_root_directory_only(self):
        self.assert_refused(self.bootstrap(definition("arm64", "OP"), self.place / "tree"),
                            "their emulator works in the host's root directory only (binfmt_misc without flag F)",
                            "sudo apt install qemu-user-static binfmt-support")

    def test_doctor_tries(self):
        for registered, verdict in ((definition("arm64"), "ok"), (definition("arm64", "OP"), "missing"), ("", "missing")):
            run = self.in_namespace(registered, vprov_under_test.vprov, "doctor", "--json")
            found = {check["subject"]: check["verdict"] for check in json.loads(run.stdout)}
            self.assertEqual((found["arm64 programs"], found["riscv64 programs"]), (verdict, "missing"))

    def test_unpacking_and_planning_need_no_emulator(self):
        recipe = self.recipe(tiny_recipe(arch="arm64", mirror=vprov_under_test.host_mirror()))
        run = self.in_namespace("", vprov_under_test.vprov, "plan", recipe, "--cache-dir", self.cache)
        self.assertEqual(run.returncode, DONE, run.stderr)
        self.assertIn("  system         debian bookworm, arm64, essential\n", run.stdout)
        tree = self.place / "tree"
        self.assert_done(self.bootstrap("", tree, "--foreign"))
        stage = self.in_namespace("", vprov_under_test.vprov, "bootstrap", "--second-stage", "--second-stage-target", tree)
        self.assertEqual(stage.returncode, USAGE)
        self.assertIn("cannot run the scripts of arm64 packages here: no emulator is registered", stage.stderr)

    def test_a_guest_of_it_is_not_launched(self):
        recipe = self.recipe(tiny_recipe(arch="arm64", mirror=vprov_under_test.host_mirror()))
        self.assert_failed(self.build(recipe, "--launch"), USAGE,
                           "vprov: cannot launch 'tiny': guests run on qemu-system-x86_64, and it is for arm64")


if __name__ == "__main__":
    reason = emulation.why_not_here("arm64") if os.geteuid() == 0 else None
    if reason:
        print(f"skipped: {reason}")
        raise SystemExit(SKIPPED)
    vprov_under_test.main("root", "network", emulation.program_of("arm64"))
