"""Tests with an archive of their own, signed by a key of their own, on a server that can lie."""

from make_archive import Archive, SigningKey
from serve import ArchiveServer
from vprov_under_test import VprovTest, tiny_recipe

BASE = {"name": "base", "version": "1.0", "fields": {"Essential": "yes"}, "files": {"/etc/base": "base\n"}}


class MadeArchiveTest(VprovTest):
    """`self.archive` is written, and `self.url` is where `self.server` serves it. Nothing of it is cached yet."""

    PACKAGES = [BASE]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = SigningKey()
        cls.addClassCleanup(cls.key.close)
        cls.stranger = SigningKey("Stranger <stranger@example.org>")
        cls.addClassCleanup(cls.stranger.close)

    def setUp(self):
        super().setUp()
        self.cache = self.place / "cache"
        self.archive = Archive(self.place / "archive", self.key)
        for package in self.PACKAGES:
            self.archive.add(package)
        self.write_archive()
        self.server = self.serve()
        self.url = self.server.url

    def write_archive(self):
        self.archive.write()

    def serve(self, kind=ArchiveServer, *arguments):
        server = kind(self.archive.directory, *arguments)
        server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        return server

    def write_recipe(self, **system):
        return self.recipe(tiny_recipe(**{"mirror": self.url, "keyring": str(self.key.keyring), "size": "64M"} | system))

    def plan(self, recipe, *arguments):
        return self.run_vprov("plan", recipe, "--cache-dir", self.cache, *arguments)

    def assert_planned(self, recipe):
        run = self.plan(recipe)
        self.assert_done(run)
        self.assertIn("base", run.stdout)

    def assert_said(self, run, status, message):
        """This whole message, and nothing left; before it may stand the lines of stages that were reached."""
        self.assertEqual(run.returncode, status, f"{run.stdout}\n{run.stderr}")
        said = run.stderr[run.stderr.index("vprov: "):] if "vprov: " in run.stderr else run.stderr
        self.assertEqual(said, f"vprov: {message}\n")
        self.assert_nothing_left()
