#!/usr/bin/env python3
"""usage_test.py PROGRAM: what vprov says to a command line, and its exit status. Nothing is fetched or started."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
HINT = "Try 'vprov --help'.\n"


class Usage(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_vprov(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory),
                       "XDG_CACHE_HOME": str(self.directory / "cache"), "VPROV_STATE_DIR": str(self.directory / "state")}
        return subprocess.run([PROGRAM, *arguments], cwd=self.directory, env=environment, capture_output=True, text=True)

    def expect(self, arguments, status, errors, output=""):
        result = self.run_vprov(*arguments)
        self.assertEqual((result.returncode, result.stderr, result.stdout), (status, errors, output))

    def write_recipe(self, text):
        (self.directory / "guest.toml").write_text(text)

    def test_a_command_line_that_is_not_understood(self):
        cannot = "vprov: cannot understand the command line: "
        for arguments, cause in (
            ([], cannot + "A subcommand is required\n"),
            (["--frob"], cannot + "A subcommand is required\n"),
            (["buld"], "vprov: cannot run 'buld': there is no such verb; did you mean 'build'?\n"),
            (["frobnicate", "x"], "vprov: cannot run 'frobnicate': there is no such verb\n"),
            (["build"], cannot + "RECIPE is required\n"),
            (["check"], cannot + "RECIPE is required\n"),
            (["bootstrap", "bookworm"], cannot + "TARGET is required\n"),
            (["console"], cannot + "NAME is required\n"),
            (["verify", "root.img"], cannot + "RECIPE is required\n"),
            (["list", "--frob"], cannot + "The following argument was not expected: --frob\n"),
            (["console", "one", "two"], cannot + "The following argument was not expected: two\n"),
            (["build", "guest.toml", "--login-timeout", "soon"],
             cannot + "Could not convert: --login-timeout = soon\n"),
            (["build", "guest.toml", "--set"], cannot + "--set: 1 required KEY=VALUE missing\n"),
        ):
            with self.subTest(arguments):
                self.expect(arguments, 2, cause + HINT)

    def test_the_same_number_for_the_same_kind_of_failure(self):
        self.expect(["build", "guest.toml"], 3, "cannot open 'guest.toml': No such file or directory\n")
        self.expect(["check", "guest.toml"], 3, "cannot open 'guest.toml': No such file or directory\n")
        self.expect(["console", "guest"], 8,
                    "vprov: cannot find a domain named 'guest': no such domain is running\n")
        self.expect(["create", "guest"], 8, "vprov: cannot find a configuration for 'guest': neither "
                    "'out/guest/guest.cfg' nor '/etc/vprov/guest.cfg' exists\n")

    def test_mistakes_in_a_recipe_are_shown_as_compilers_show_them(self):
        self.write_recipe('name = "guest"\nnam = "x"\n[domain]\nvcpus = 0\n')
        self.expect(["check", "guest.toml"], 3,
                    "guest.toml:2:1: cannot use key 'nam': unknown; did you mean 'name'?\n"
                    "guest.toml:4:9: cannot use '0' as [domain] vcpus: 1 to 128 is wanted\n")

    def test_check_says_which_recipes_are_right(self):
        self.write_recipe('name = "guest"\n[[disk]]\nsize = "1G"\nfilesystem = "ext4"\nmount = "/"\n')
        self.expect(["check", "guest.toml", "guest.toml"], 0, "", "guest.toml: ok\nguest.toml: ok\n")
        self.expect(["--quiet", "check", "guest.toml"], 0, "")

    def test_overrides_are_checked_like_the_recipe(self):
        self.write_recipe('name = "guest"\n[[disk]]\nsize = "1G"\nfilesystem = "ext4"\nmount = "/"\n')
        for option in ("-s", "--set"):
            self.expect(["check", option, "domain.vcpus=0", "guest.toml"], 3,
                        "--set domain.vcpus=0: cannot use '0' as [domain] vcpus: 1 to 128 is wanted\n")

    def test_an_error_is_an_event_with_json(self):
        for arguments in (["--json", "console", "guest"], ["console", "guest", "--json"]):
            with self.subTest(arguments):
                result = self.run_vprov(*arguments)
                message = "cannot find a domain named 'guest': no such domain is running"
                self.assertEqual((result.returncode, result.stderr), (8, f"vprov: {message}\n"))
                self.assertEqual([json.loads(line) for line in result.stdout.splitlines()],
                                 [{"event": "error", "kind": "hypervisor", "exit_status": 8, "message": message}])

    def test_bytes_that_are_not_text_stay_json(self):
        result = subprocess.run([PROGRAM, "--json", "check", b"caf\xe9.toml"], cwd=self.directory, capture_output=True)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(json.loads(result.stdout)["kind"], "recipe")

    def test_nothing_runs_at_first(self):
        header = "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
        self.expect(["list"], 0, "", header)
        self.expect(["list", "--json"], 0, "", "[]\n")

    def test_a_tree_is_not_made_where_something_is(self):
        (self.directory / "tree").mkdir()
        (self.directory / "tree/file").touch()
        result = self.run_vprov("bootstrap", "bookworm", "tree")
        self.assertEqual(result.returncode, 2)
        if result.stderr.startswith("vprov: cannot make a user namespace"):
            self.skipTest(result.stderr)
        self.assertIn(f"vprov: cannot bootstrap into '{self.directory / 'tree'}': it is not an empty directory\n",
                      result.stderr)

    def test_every_verb_describes_itself(self):
        verbs = [word for word in self.run_vprov("complete").stdout.split() if not word.startswith("-")]
        self.assertEqual(sorted(verbs), ["autostart", "block-attach", "block-detach", "block-list", "bootstrap", "build",
                                         "cache", "cd-eject", "cd-insert", "check", "config", "console", "create",
                                         "destroy", "doctor", "image", "import", "list", "lock", "log", "mem-set",
                                         "migrate", "network-attach", "network-detach", "network-list", "pause", "plan",
                                         "reboot", "rename", "restore", "save", "shutdown", "snapshot", "ssh",
                                         "template", "top",
                                         "unpause", "vcpu-list", "vcpu-set", "verify", "vncviewer", "wait", "why"])
        for verb in verbs:
            with self.subTest(verb):
                described = self.run_vprov(verb, "--help")
                self.assertEqual((described.returncode, described.stderr), (0, ""))
                self.assertIn(f"Usage: vprov {verb} ", described.stdout)
                for option in self.run_vprov("complete", verb).stdout.split():
                    self.assertRegex(described.stdout, rf"(?m)^  (-\w,)?{option}\b")

    def test_examples_stand_in_the_general_help_only(self):
        self.assertIn("\nExamples:\n", self.run_vprov("--help").stdout)
        self.assertNotIn("Examples:", self.run_vprov("list", "--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
