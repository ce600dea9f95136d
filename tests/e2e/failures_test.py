#!/usr/bin/env python3
"""What goes wrong before anything is unpacked: one message that names the cause, its exit status, and nothing left."""

import json
import shutil
import socket

import vprov_under_test
from vprov_under_test import ARCHIVE, DONE, PACKAGES, RECIPE, USAGE, VprovTest
from made_archive import BASE, MadeArchiveTest
from serve import Fault

PACKAGES_OF_THE_ARCHIVE = [
    BASE,
    {"name": "wanting", "version": "1.0", "fields": {"Depends": "middle (>= 1)"}},
    {"name": "middle", "version": "1.5", "fields": {"Depends": "lost-library (>= 2.0)"}},
    {"name": "quarrel", "version": "1.0", "fields": {"Conflicts": "base"}},
]


class ArchiveTest(MadeArchiveTest):
    PACKAGES = PACKAGES_OF_THE_ARCHIVE

    def test_the_archive_itself_is_accepted(self):
        self.assert_planned(self.write_recipe())

    def test_mirror_that_nobody_serves(self):
        with socket.socket() as unused:  # bound and not listening: nobody else can take the port
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/debian"
            run = self.build(self.write_recipe(mirror=url))
        self.assert_failed(run, ARCHIVE, f"vprov: cannot fetch {url}/dists/bookworm/InRelease: connection refused")

    def test_mirror_without_a_name(self):
        run = self.build(self.write_recipe(mirror="http://archive.invalid/debian"))
        self.assert_failed(run, ARCHIVE, "cannot fetch http://archive.invalid/debian/dists/bookworm/InRelease: "
                                         "could not resolve host 'archive.invalid'")

    def test_server_in_trouble(self):
        self.server.faults["*/InRelease"] = Fault(status=500)
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, "/dists/bookworm/InRelease: 500 Internal Server Error")

    def test_suite_that_the_archive_lacks(self):
        run = self.build(self.write_recipe(suite="bokworm"))
        self.assert_failed(run, ARCHIVE, f"vprov: cannot find suite 'bokworm' at {self.server.url}: 404 Not Found")

    def test_suite_whose_release_file_is_of_another(self):
        shutil.copytree(self.archive.dists, self.archive.directory / "dists/trixie")
        run = self.build(self.write_recipe(suite="trixie"))
        self.assert_failed(run, ARCHIVE, "trixie", "bookworm")

    def test_release_file_changed_after_signing(self):
        path = self.archive.dists / "InRelease"
        path.write_text(path.read_text().replace("Label: Test", "Label: Fake"))
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot trust {self.server.url} bookworm: bad signature of key",
                           "'Test Archive <archive@example.org>'", "the file was changed after it was signed")

    def test_release_file_without_signature(self):
        (self.archive.dists / "InRelease").unlink()
        (self.archive.dists / "Release.gpg").unlink()
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot trust {self.server.url} bookworm: it is not signed")

    def test_key_that_the_keyring_lacks(self):
        run = self.build(self.write_recipe(keyring=str(self.stranger.keyring)))
        self.assert_failed(run, ARCHIVE, f"cannot trust {self.server.url} bookworm: its signing key",
                           self.key.fingerprint[-16:], f"is not in '{self.stranger.keyring}'")

    def test_release_file_past_its_date(self):
        self.archive.release["Valid-Until"] = "Sat, 01 Jan 2022 00:00:00 GMT"
        self.archive.write_release()
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot use {self.server.url} bookworm:", "2022")

    def test_index_that_differs_from_its_digest(self):
        self.server.faults["*/Packages*"] = Fault(corrupt=True)
        self.server.faults["*/by-hash/*"] = Fault(corrupt=True)
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot accept {self.server.url}/dists/bookworm/main/binary-amd64/", "SHA-256")

    def test_package_that_differs_from_its_digest(self):
        self.server.faults["*.deb"] = Fault(corrupt=True)
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot accept base 1.0 from {self.server.url}/", "SHA-256")
        self.assertEqual([path for path in self.cache.rglob("*") if path.is_file() and b"!<arch>" in path.read_bytes()], [])

    def test_package_that_is_shorter_than_its_index_says(self):
        deb = self.archive.directory / self.archive.pool_path(self.archive.packages[0])
        deb.write_bytes(deb.read_bytes()[:-20])
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot accept base 1.0 from {self.server.url}/", "bytes")

    def test_package_that_the_archive_lists_and_lacks(self):
        self.server.faults["*.deb"] = Fault(status=404)
        run = self.build(self.write_recipe())
        self.assert_failed(run, ARCHIVE, f"cannot fetch base 1.0 from {self.server.url}/", "404 Not Found")

    def test_dependency_that_nothing_meets(self):
        run = self.build(self.write_recipe(include=["wanting"]))
        self.assert_failed(run, PACKAGES, "lost-library (>= 2.0)", "wanted by middle, wanted by wanting, wanted by the recipe")

    def test_package_that_conflicts_with_an_essential_one(self):
        run = self.build(self.write_recipe(include=["quarrel"]))
        self.assert_failed(run, PACKAGES, "quarrel", "conflicts with base")

    def test_package_that_no_archive_has(self):
        run = self.build(self.write_recipe(include=["wantin"]))
        self.assert_failed(run, PACKAGES, "vprov: cannot find package 'wantin' in bookworm; did you mean 'wanting'?")

    def test_error_as_an_event(self):
        run = self.build(self.write_recipe(include=["wantin"]), "--json")
        self.assertEqual(run.returncode, PACKAGES)
        event = json.loads(run.stdout.splitlines()[-1])
        self.assertEqual({key: event[key] for key in ("event", "kind", "exit_status")},
                         {"event": "error", "kind": "packages", "exit_status": PACKAGES})
        self.assertIn("cannot find package 'wantin'", event["message"])
        self.assert_nothing_left()


class RecipeTest(VprovTest):
    def test_all_mistakes_at_once(self):
        recipe = self.recipe('name = "tiny"\n[system]\nsuiet = "bookworm"\nupdates = "yes"\n'
                             '[[disk]]\nsize = "2 elephants"\nfilesystem = "ext4"\nmount = "/"\n')
        for verb in ("check", "plan", "build"):
            with self.subTest(verb=verb):
                run = self.run_vprov(verb, recipe)
                self.assert_failed(run, RECIPE)
                places = [line.split(": cannot ")[0] for line in run.stderr.splitlines() if ": cannot " in line]
                self.assertEqual(places, [f"{recipe}:3:1", f"{recipe}:4:11", f"{recipe}:6:8"], run.stderr)
                self.assertIn("'suite'", run.stderr)

    def test_text_that_is_not_toml(self):
        recipe = self.recipe('name = "tiny"\nsystem = [\n')
        self.assert_failed(self.build(recipe), RECIPE, f"{recipe}:", "cannot ")

    def test_recipe_that_is_not_there(self):
        run = self.build(self.place / "none.toml")
        self.assertIn("none.toml", run.stderr)
        self.assertNotEqual(run.returncode, DONE)

    def test_names_that_would_break_out_of_a_configuration(self):
        for name in ("it's", 'say \\"hi\\"', "two\\nlines", "../up", "a b", "", "-x"):
            with self.subTest(name=name):
                recipe = self.recipe(f'name = "{name}"\n[[disk]]\nsize = "1G"\nfilesystem = "ext4"\nmount = "/"\n')
                self.assert_failed(self.build(recipe), RECIPE, f"{recipe}:1:8: cannot use ", " as name: a name is 1 to 63 letters, digits,")

    def test_override_that_is_wrong(self):
        recipe = self.recipe('name = "tiny"\n[[disk]]\nsize = "1G"\nfilesystem = "ext4"\nmount = "/"\n')
        run = self.build(recipe, "--set", "name=it's")
        self.assert_failed(run, RECIPE, "cannot use 'it's' as name: ")

    def test_mistaken_command_line(self):
        self.assert_failed(self.run_vprov("biuld"), USAGE,
                           "vprov: cannot run 'biuld': there is no such verb; did you mean 'build'?")
        self.assert_failed(self.run_vprov("build"), USAGE, "vprov: cannot understand the command line")


if __name__ == "__main__":
    vprov_under_test.main("root", "gpg", "gpgv", "dpkg-deb")
