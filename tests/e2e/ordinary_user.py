"""Tests that run vprov as a user who is not root. The user, `tester`, is in the account tables of private mount
namespaces only."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import vprov_under_test
from vprov_under_test import VprovTest

UID = 4242
SUBORDINATE = "300000:65536"
BECOME = ('for table in passwd group subuid subgid; do mount --bind "$1/$table" "/etc/$table" || exit 99; done; shift; '
          f'exec setpriv --reuid={UID} --regid={UID} --clear-groups "$@"')


class OrdinaryUserTest(VprovTest):
    """`self.program` is a vprov that the user can run, and `self.user_cache` is the user's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="vprov-rootless-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.shared.chmod(0o755)
        cls.program = shutil.copy(vprov_under_test.vprov, cls.shared / "vprov")  # the build may be where no user can read
        cls.user_cache = cls.shared / "cache"
        cls.user_cache.mkdir()
        os.chown(cls.user_cache, UID, UID)
        cls.mirror = vprov_under_test.host_mirror()

    def setUp(self):
        super().setUp()
        os.chown(self.place, UID, UID)

    def as_user(self, subordinate=SUBORDINATE):
        """What comes before a command's words to run it as `tester`."""
        tables = pathlib.Path(tempfile.mkdtemp(dir=self.shared))
        for name, line in (("passwd", f"tester:x:{UID}:{UID}::{self.place}:/bin/sh\n"), ("group", f"tester:x:{UID}:\n")):
            (tables / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        for name in ("subuid", "subgid"):
            (tables / name).write_text(f"tester:{subordinate}\n" if subordinate else "")
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", BECOME, "sh", str(tables)]

    def run_as(self, prefix, *arguments):
        state = {"VPROV_STATE_DIR": str(self.place / ("state-of-user" if prefix else "state"))}
        return subprocess.run([*prefix, *map(str, arguments)], env=self.environment() | state, cwd=self.place, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
