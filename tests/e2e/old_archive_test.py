#!/usr/bin/env python3
"""Archives as they were in 2007, and every way to reach one: HTTP, FTP, and files of this machine."""

import json
import shutil
import subprocess

import vprov_under_test
from vprov_under_test import ARCHIVE
from made_archive import BASE, MadeArchiveTest
from make_archive import Archive, SigningKey
from serve import Fault
from serve_ftp import FtpServer

PACKAGES = [
    BASE,
    {"name": "more", "version": "2.0", "fields": {"Essential": "yes", "Priority": "required"},
     "files": {"/etc/more": "more\n" * 9000}},
]
WEAK = {"allow_weak_digests": True}


class OldArchiveTest(MadeArchiveTest):
    PACKAGES = PACKAGES

    def setUp(self):
        super().setUp()
        self.trees = 0

    def write_archive(self):
        """Each test does, in a form of its own."""

    def old(self, *digests):
        self.archive.make_old(digests or ("MD5Sum", "SHA1"))
        self.archive.write()

    def assert_tree(self, mirror, **more):
        """Staged and merged from there: a whole build needs a dpkg in the archive."""
        run = self.plan(self.write_recipe(mirror=mirror, **more), "--json")
        self.assert_done(run)
        event = json.loads(run.stdout.splitlines()[-1])
        self.assertEqual([(p["name"], p["version"]) for p in event["packages"]], [("base", "1.0"), ("more", "2.0")])
        self.trees += 1
        target = self.place / f"debs{self.trees}"
        run = self.run_vprov("bootstrap", "--variant=essential", "--no-updates", "--download-only", "--keyring",
                             self.key.keyring, "--cache-dir", self.cache, *(["--allow-weak-digests"] if more else []),
                             "bookworm", target, mirror)
        self.assert_done(run)
        kept = {path.read_bytes() for path in self.cache.glob("sha256/*/*")}
        for package in PACKAGES:
            self.assertIn((self.archive.directory / self.archive.pool_path(package)).read_bytes(), kept)

    def test_release_with_a_signature_beside_it(self):
        self.old("MD5Sum", "SHA256")
        server = self.serve()
        self.assert_tree(server.url)
        self.assertEqual(server.count("*/Release.gpg"), 2)

    def test_weak_digests_are_refused(self):
        self.old()
        url = self.serve().url
        run = self.build(self.write_recipe(mirror=url))
        self.assert_failed(run, ARCHIVE, f"vprov: cannot use {url} bookworm: its Release file has no SHA-256 sums, only "
                                         "SHA-1, which is not safe (allow_weak_digests takes it)\n")

    def test_weak_digests_are_taken_where_they_are_allowed(self):
        for digests, name in ((("MD5Sum", "SHA1"), "SHA-1"), (("MD5Sum",), "MD5")):
            with self.subTest(name):
                self.old(*digests)
                self.assert_tree(self.serve().url, **WEAK)
                server = self.serve()
                self.assert_tree(server.url, **WEAK)
                self.assertEqual(server.count("*.deb"), 0, "they are in the cache")
                run = self.plan(self.write_recipe(mirror=self.archive.uri, **WEAK))
                self.assertIn("  WEAK DIGESTS are taken\n", run.stdout)

    def test_weak_digests_are_checked(self):
        for digests, name in ((("MD5Sum", "SHA1"), "SHA-1"), (("MD5Sum",), "MD5")):
            with self.subTest(name):
                self.old(*digests)
                server = self.serve()
                shutil.rmtree(self.cache, ignore_errors=True)
                server.faults["*/base_*.deb"] = Fault(corrupt=True)
                run = self.build(self.write_recipe(mirror=server.url, **WEAK))
                self.assert_failed(run, ARCHIVE, f"vprov: cannot accept base 1.0 from {server.url}/", f": its {name} is ",
                                   ", the index says ")
                server.faults.clear()
                shutil.rmtree(self.cache)
                server.faults["*/Packages.gz"] = Fault(corrupt=True)
                run = self.build(self.write_recipe(mirror=server.url, **WEAK))
                self.assert_failed(run, ARCHIVE, f"vprov: cannot accept {server.url}/dists/bookworm/main/binary-amd64/"
                                                 f"Packages.gz: its {name} is ", ", the Release file says ")

    def test_packages_file_that_is_not_compressed(self):
        self.archive.forms = [""]
        self.archive.write()
        self.assert_tree(self.serve().url)

    def test_ftp(self):
        self.old("MD5Sum", "SHA256")
        server = self.serve(FtpServer)
        self.assert_tree(server.url)
        self.assertIn("/dists/bookworm/main/binary-amd64/Packages.gz", server.retrieved)

    def test_ftp_of_an_archive_of_today(self):
        self.archive.write()
        self.assert_tree(self.serve(FtpServer).url)

    def test_ftp_that_breaks_off(self):
        self.old("MD5Sum", "SHA256")
        server = self.serve(FtpServer)
        server.truncate["*/more_*.deb"] = 300
        self.assert_tree(server.url)
        self.assertEqual(server.restarts, [300])

    def test_ftp_without_the_suite(self):
        url = self.serve(FtpServer).url
        run = self.build(self.write_recipe(mirror=url))
        self.assert_failed(run, ARCHIVE, f"vprov: cannot find suite 'bookworm' at {url}: no such file\n")

    def names(self, run):
        self.assert_done(run)
        return [package["name"] for package in json.loads(run.stdout.splitlines()[-1])["packages"]]

    def test_sources_in_place_of_a_mirror(self):
        self.archive.write()
        with SigningKey("Local <local@example.org>") as local_key:
            local = Archive(self.place / "local", local_key, suite="extra")
            local.add({"name": "own", "version": "3.0", "fields": {"Essential": "yes"}})
            local.write()
            (self.place / "all.sources").write_text(
                f"Types: deb\nURIs: {self.serve().url}\nSuites: bookworm\nComponents: main\n"
                f"Signed-By: {self.key.keyring}\n\n"
                f"# one's own\nTypes: deb\nURIs: {local.uri}\nSuites: extra\nComponents: main\n"
                f"Signed-By: {local_key.keyring}\n")
            sources = self.write_recipe(sources=["all.sources"], mirror=None, updates=None, security=None)
            run = self.plan(sources, "--json")
            self.assertEqual(self.names(run), ["base", "more", "own"])
            swapped = (self.place / "all.sources").read_text().replace(str(local_key.keyring), str(self.key.keyring))
            (self.place / "all.sources").write_text(swapped)
            run = self.build(sources)
            self.assert_failed(run, ARCHIVE, f"vprov: cannot trust {local.uri} extra: its signing key "
                                             f"{local_key.fingerprint} is not in '{self.key.keyring}'\n")

    def test_sources_that_hold_their_key(self):
        """As sources.list(5) has it: each line of the key indented, a dot for an empty one. apt is asked as well."""
        self.archive.write()
        server = self.serve()
        for key, status in ((self.key, 0), (self.stranger, ARCHIVE)):
            lines = "".join(f" {line or '.'}\n" for line in key.armoured.read_text().splitlines())
            (self.place / "own.sources").write_text(f"Types: deb\nURIs: {server.url}\nSuites: bookworm\nComponents: main\n"
                                                    f"Signed-By:\n{lines}")
            run = self.plan(self.write_recipe(sources=["own.sources"], mirror=None, updates=None, security=None, keyring=None))
            self.assertEqual(self.apt_update(), status != 0)
            if status:
                self.assert_said(run, status, f"cannot trust {server.url} bookworm: its signing key {self.key.fingerprint} is "
                                              "not in its Signed-By field")
            else:
                self.assert_done(run)
                self.assertIn(f"{server.url}  bookworm  main  the key in its sources\n", run.stdout)

    def apt_update(self):
        """Whether apt complains of own.sources."""
        state = self.place / "apt"
        for folder in ("etc/sources.list.d", "lists/partial", "cache/archives/partial"):
            (state / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(self.place / "own.sources", state / "etc/sources.list.d")
        settings = {"Dir::Etc": state / "etc", "Dir::State::lists": state / "lists", "Dir::Cache": state / "cache",
                    "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": state / "etc/sources.list.d",
                    "APT::Update::Error-Mode": "any", "APT::Sandbox::User": "root", "APT::Architecture": "amd64"}
        run = subprocess.run(["apt-get", *(f"--option={name}={value}" for name, value in settings.items()), "update"],
                             env=self.environment(), text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return run.returncode != 0

    def test_a_line_of_sources_in_the_mirrors_place(self):
        self.archive.write()
        line = f"deb [signed-by={self.key.keyring}] {self.serve().url} bookworm main"
        arguments = ["--variant=essential", "--print-debs", "--keyring", self.key.keyring, "--cache-dir", self.cache]
        run = self.run_vprov("bootstrap", *arguments, "bookworm", self.place / "tree", line)
        self.assert_done(run)
        self.assertEqual(run.stdout, "base more\n")
        (self.place / "one.list").write_text(f"# mine\n{line}\n")
        run = self.run_vprov("bootstrap", *arguments, "bookworm", self.place / "tree", "one.list")
        self.assertEqual(run.stdout, "base more\n")

    def test_file(self):
        self.old("MD5Sum", "SHA256")
        self.assert_tree(self.archive.uri)


if __name__ == "__main__":
    vprov_under_test.main("root", "gpg", "gpgv", "dpkg-deb", "apt-get")
