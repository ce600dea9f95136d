"""Runs the vprov that ctest names, and looks for anything that it leaves behind.

A test script ends with `main()`; ctest calls it as `SCRIPT VPROV CACHE`: the program, and the directory that all tests
keep downloads in. Exit status 77 means that nothing could be tested, and the last line says why.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parent.parent
SOURCE = TESTS.parent
sys.path.insert(0, str(TESTS / "tools"))

DONE, USAGE, RECIPE, ARCHIVE, PACKAGES, DISK, SCRIPT, HYPERVISOR, INTERRUPTED = 0, 2, 3, 4, 5, 6, 7, 8, 130
SKIPPED = 77
DEADLINE = 1800  # seconds: only so that a hang ends; nothing is measured
GRACE = 120  # seconds for the kernel to end what dies with its parent; it takes milliseconds, but for a machine in trouble

vprov, cache = "vprov", None  # set by main()


def host_mirror(suite="bookworm"):
    """The mirror in this machine's apt sources that has the suite, or None."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
                            capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        uri, _, release = line.partition(" ")
        if release == suite:
            return uri.rstrip("/")
    return None


def tiny_recipe(name="tiny", size="512M", more="", **system):
    """A guest without a kernel: of [system] what is said here, without keys that are None; `more` is TOML after it."""
    keys = {"suite": "bookworm", "variant": "essential", "updates": False, "security": False} | system
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
    return "\n".join([f'name = "{name}"', "[system]", *lines, "[system.kernel]", 'package = ""', more, "[[disk]]",
                      f'size = "{size}"', 'filesystem = "ext4"', 'mount = "/"', ""])


def why_not_testable(needs):
    if "root" in needs and os.geteuid() != 0:
        return "these tests must be run as root: packages' scripts need it"
    for program in sorted(needs - {"root", "network"}):
        if not shutil.which(program):
            return f"{program} is not installed"
    if "network" in needs:
        mirror = host_mirror()
        if not mirror:
            return "no apt source of this machine has bookworm"
        try:
            urllib.request.urlopen(f"{mirror}/dists/bookworm/InRelease", timeout=60).close()
        except OSError as failure:
            return f"this machine's apt mirror cannot be reached: {failure}"
    return None


def main(*needs):
    global vprov, cache
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} VPROV CACHE [unittest arguments]")
    vprov, cache = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    reason = why_not_testable(set(needs))
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    # Layers and bases of so many different guests would be all of the disk that the tests take.
    subprocess.run([vprov, "--quiet", "cache", "prune", "--cache-dir", str(cache), "--max-size", "3G"], check=True)
    unittest.main(argv=[sys.argv[0]] + (sys.argv[3:] or ["-v"]))


def processes_in(directory):
    """Processes that know `directory` by command line, working directory, open file or mount: pid and command line.
    A process in a sandbox sees another root, but its mounts name the tree."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        if traces_of(entry, str(directory)):
            found[int(entry.name)] = read_bytes(entry / "cmdline").replace(b"\0", b" ").decode(errors="replace")
    return found


def traces_of(process, directory):
    texts = [read_bytes(process / name).decode(errors="replace") for name in ("cmdline", "mountinfo")]
    links = [process / name for name in ("cwd", "root", "exe")]
    try:
        links += list((process / "fd").iterdir())
    except OSError:
        pass
    for link in links:
        try:
            texts.append(os.readlink(link))
        except OSError:
            pass
    return any(directory in text for text in texts)


def read_bytes(path):
    try:
        return path.read_bytes()
    except OSError:  # the process ended meanwhile
        return b""


def wait_until(condition, seconds=DEADLINE):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


class VprovTest(unittest.TestCase):
    """Each test has a directory of its own, `self.place`, and an output directory in it; both are gone afterwards."""

    maxDiff = None

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="vprov-e2e-"))
        self.place.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.output = self.place / "out"
        self.state = self.place / "state"
        self.cache = cache

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        return {**kept, "VPROV_STATE_DIR": str(self.state), "XDG_CACHE_HOME": str(self.place / "home-cache"), "TERM": "dumb"}

    def recipe(self, text, name="recipe.toml"):
        path = self.place / name
        path.write_text(text)
        return path

    def run_vprov(self, *arguments, prefix=(), **options):
        return subprocess.run([*prefix, vprov, *map(str, arguments)], env=self.environment(), cwd=self.place, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False, **options)

    def build(self, recipe, *arguments, **options):
        return self.run_vprov("build", recipe, "--output", self.output, "--cache-dir", self.cache, *arguments, **options)

    def start_build(self, recipe, *arguments):
        """As a job of its own, the way a shell starts it: Ctrl-C goes to its process group."""
        argv = [vprov, "build", str(recipe), "--output", str(self.output), "--cache-dir", str(self.cache), *arguments]
        process = subprocess.Popen(argv, env=self.environment(), cwd=self.place, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()

    def assert_done(self, run):
        self.assertEqual(run.returncode, DONE, f"{run.stdout}\n{run.stderr}")

    def assert_failed(self, run, status, *words):
        """Refused, and nothing is left."""
        self.assert_one_message(run, status, *words)
        self.assert_nothing_left()

    def assert_one_message(self, run, status, *words):
        """One message on standard error, with these words, and nothing on standard output."""
        self.assertEqual(run.returncode, status, f"{run.stdout}\n{run.stderr}")
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertEqual(run.stdout, "")
        if status != RECIPE:
            self.assertEqual(run.stderr.count("vprov: "), 1, run.stderr)

    def assert_all_ended(self):
        """What the kernel ends with its parent is still there for a moment."""
        wait_until(lambda: not processes_in(self.place), GRACE)
        self.assertEqual(processes_in(self.place), {})

    def assert_nothing_left(self):
        self.assert_all_ended()
        self.assertNotIn(str(self.place), pathlib.Path("/proc/self/mountinfo").read_text())
        if self.output.exists():
            self.assertEqual(sorted(entry.name for entry in self.output.iterdir()), [])
