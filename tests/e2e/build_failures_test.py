#!/usr/bin/env python3
"""What goes wrong while a tree is made and written: scripts that fail, disks that are full, guests that run already."""

import subprocess

import vprov_under_test
from vprov_under_test import DISK, DONE, HYPERVISOR, SCRIPT, VprovTest, tiny_recipe
from make_archive import Archive, SigningKey

REPOSITORY = """\
[[system.repository]]
uri = "{uri}"
suite = "local"
components = ["main"]
signed_by = "{keyring}"
"""


def minbase(name="tiny", include=(), repositories="", size="1G"):
    return tiny_recipe(name, size, repositories, variant="minbase", include=list(include))


class ScriptTest(VprovTest):
    def recipe_with(self, package):
        key = SigningKey()
        self.addCleanup(key.close)
        archive = Archive(self.place / "archive", key, suite="local")
        archive.add(package)
        archive.write()
        repository = REPOSITORY.format(uri=archive.uri, keyring=key.keyring)
        return self.recipe(minbase(include=[package["name"]], repositories=repository))

    def test_postinst(self):
        script = "#!/bin/sh\nfor n in 1 2 3; do echo \"line $n\"; done\necho 'the reason' >&2\nexit 3\n"
        run = self.build(self.recipe_with({"name": "angry", "version": "1.0-1", "scripts": {"postinst": script}}))
        self.assert_failed(run, SCRIPT, "vprov: cannot configure 'angry': its postinst ended with exit status 3; it said:\n"
                                        "  line 1\n  line 2\n  line 3\n  the reason\n")

    def test_postinst_without_a_word(self):
        run = self.build(self.recipe_with({"name": "angry", "version": "1.0-1",
                                           "scripts": {"postinst": "#!/bin/sh\nexit 4\n"}}))
        self.assert_failed(run, SCRIPT, "vprov: cannot configure 'angry': its postinst ended with exit status 4")

    def test_postinst_that_says_a_lot(self):
        script = "#!/bin/sh\nseq 1 5000 | sed 's/^/line /'\nexit 3\n"
        run = self.build(self.recipe_with({"name": "talker", "version": "1.0-1", "scripts": {"postinst": script}}))
        self.assert_failed(run, SCRIPT, "cannot configure 'talker': its postinst ended with exit status 3", "line 5000")
        self.assertLess(len(run.stderr.splitlines()), 40)

    def test_postinst_that_a_signal_ends(self):
        script = "#!/bin/sh\necho dying\nkill -9 $$\n"
        run = self.build(self.recipe_with({"name": "dier", "version": "1.0-1", "scripts": {"postinst": script}}))
        self.assert_failed(run, SCRIPT, "cannot configure 'dier'", "ill", "  dying\n")

    def test_preinst(self):
        script = "#!/bin/sh\necho 'not on this machine' >&2\nexit 5\n"
        run = self.build(self.recipe_with({"name": "picky", "version": "2.0-1", "scripts": {"preinst": script}}))
        self.assert_failed(run, SCRIPT, "vprov: cannot install 'picky' 2.0-1: its preinst ended with exit status 5; it said:\n"
                                        "  not on this machine\n")

    def test_script_that_leaves_something_running(self):
        """A daemon of a script ends with the sandbox, whether its output is still open or not."""
        script = "#!/bin/sh\nsleep 1000 </dev/null >/dev/null 2>&1 &\nsleep 1001 &\nexit 0\n"
        run = self.build(self.recipe_with({"name": "daemon", "version": "1.0-1", "scripts": {"postinst": script}}))
        self.assert_done(run)
        self.assert_all_ended()

    def test_bootstrap_leaves_no_tree(self):
        tree = self.place / "out" / "tree"
        run = self.run_vprov("bootstrap", "--variant=minbase", "--no-updates", "--include=no-such-package-at-all",
                             "--cache-dir", self.cache, "bookworm", tree)
        self.assert_failed(run, vprov_under_test.PACKAGES, "cannot find package 'no-such-package-at-all'")


class DiskTest(VprovTest):
    def test_disk_of_the_recipe_too_small(self):
        run = self.build(self.recipe(minbase(size="64M")))
        self.assert_failed(run, DISK, "vprov: cannot fit ", " packages on 'root': they take ",
                           " when installed, the disk has 67.1 MB\n")

    def build_on_a_tmpfs(self, size):
        """In a mount namespace of its own; the script there also says what was left, as the tmpfs goes with it."""
        recipe = self.recipe(minbase())
        self.output.mkdir()
        script = ('mount -t tmpfs -o size="$1" tmpfs "$2" && shift && out=$1 && shift && "$@"; status=$?; '
                  'ls -A "$out" | sed "s/^/LEFT /"; exit $status')
        command = ["sh", "-c", script, "sh", size, self.output, vprov_under_test.vprov, "build", recipe, "--quiet",
                   "--output", self.output, "--cache-dir", self.cache, "--no-layers"]
        return subprocess.run(["unshare", "--mount", "--propagation", "private", *map(str, command)],
                              env=self.environment(), cwd=self.place, text=True, capture_output=True, check=False)

    def test_disk_that_fills_up(self):
        for size in ("1m", "40m", "122m", "180m"):
            with self.subTest(size=size):
                run = self.build_on_a_tmpfs(size)
                self.assertNotIn("LEFT", run.stdout)
                self.assert_failed(run, DISK, "No space left on device")
                self.output.rmdir()

    def test_output_that_cannot_be_made(self):
        self.output.write_text("a file\n")
        recipe = self.recipe(minbase())
        run = self.run_vprov("build", recipe, "--output", self.output, "--cache-dir", self.cache)
        self.assertEqual(run.returncode, DISK, run.stderr)
        self.assertIn(f"'{self.output}'", run.stderr)
        self.assertEqual(self.output.read_text(), "a file\n")


class FullCacheTest(VprovTest):
    """The cache is a tmpfs in a mount namespace of its own."""

    # The second tree finds 4 MB free, which is less than a layer takes.
    LAYER = """"$@" --no-layers bookworm first || exit 99
room=$(($(df -k --output=used "$cache" | tail -n 1) + 4096))
mount -o "remount,size=${room}k" "$cache" || exit 98
"$@" bookworm second; status=$?
diff -r first/usr/bin second/usr/bin >&2"""
    PACKAGES = '"$@" bookworm tree; status=$?'

    def bootstrap_with(self, size, script):
        """What arrived of a package stays, for the next run to continue; of everything else nothing may be half there."""
        cache = self.place / "cache"
        cache.mkdir(exist_ok=True)
        script = (f'cache=$1; shift; mount -t tmpfs -o size={size} tmpfs "$cache" || exit 97\n{script}\n'
                  'find "$cache/layers" "$cache/partial" -mindepth 1 ! -name .lock ! -name "*.part" 2>/dev/null | sed "s/^/LEFT /"; exit $status')
        words = [cache, vprov_under_test.vprov, "--quiet", "bootstrap", "--variant=essential", "--no-updates", "--cache-dir", cache]
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *map(str, words)],
                              env=self.environment(), cwd=self.place, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)

    def test_no_room_for_a_layer(self):
        """It is a convenience of the next build; this one has its tree."""
        run = self.bootstrap_with("2g", self.LAYER)
        self.assertEqual((run.returncode, run.stdout), (DONE, ""), run.stderr)
        self.assertEqual(run.stderr, f"warning: no layer is kept in '{self.place}/cache': cannot write the tar: No space left "
                                     "on device\n")

    def test_no_room_for_packages(self):
        for size in ("1m", "20m"):
            with self.subTest(size):
                run = self.bootstrap_with(size, self.PACKAGES)
                self.assertEqual((run.returncode, run.stdout), (DISK, ""), run.stderr)
                self.assertRegex(run.stderr, rf"^vprov: cannot write '{self.place}/cache/partial/[^']+': No space left on device\n$")
                self.assert_nothing_left()


class RunningGuestTest(VprovTest):
    """The guest is an empty machine: it finds nothing to boot and stays on."""

    CONFIGURATION = "name = 'busy'\ntype = 'hvm'\nmemory = 32\nvcpus = 1\n"

    def setUp(self):
        super().setUp()
        configuration = self.place / "busy.cfg"
        configuration.write_text(self.CONFIGURATION)
        self.assert_done(self.run_vprov("create", configuration))
        self.addCleanup(self.run_vprov, "destroy", "busy")

    def test_its_disks_are_not_built_anew(self):
        run = self.build(self.recipe(minbase(name="busy")))
        self.assertEqual(run.returncode, HYPERVISOR, run.stderr)
        self.assertIn("vprov: cannot build 'busy': a guest of that name is running on its disks; "
                      "end it with 'vprov shutdown busy'", run.stderr)
        self.assertFalse(self.output.exists() and list(self.output.iterdir()))

    def test_its_name_is_taken(self):
        run = self.run_vprov("create", self.place / "busy.cfg")
        self.assertEqual(run.returncode, HYPERVISOR, run.stderr)
        self.assertIn("'busy'", run.stderr)

    def test_destroyed_it_leaves_nothing(self):
        self.assert_done(self.run_vprov("destroy", "busy"))
        self.assertEqual(self.run_vprov("list", "--json").stdout.strip(), "[]")
        self.assert_all_ended()


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "gpg", "gpgv", "dpkg-deb", "unshare", "qemu-system-x86_64")
