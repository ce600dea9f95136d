#!/usr/bin/env python3
"""configurations_test.py PROGRAM FOLDER: what the program prints for each configuration of FOLDER/cfg and for recipes is
taken by those whom it is for: libvirt's schema and Xen's parser; and xl's spelling means the same as xm's."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
RECIPES = FOLDER.parents[1] / "recipes"
FILES = sorted((FOLDER / "cfg").glob("*.cfg")) + sorted(RECIPES.glob("*.toml"))


def printed(form, file, *options):
    run = subprocess.run([PROGRAM, "config", "--format", form, "--output", "/out", *options, file], capture_output=True,
                         text=True, check=False)
    assert run.returncode == 0, (form, file, run.stderr)
    return run.stdout


class Configurations(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="vprov-config-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    @unittest.skipUnless(shutil.which("virt-xml-validate"), "virt-xml-validate is missing (Debian: libvirt-clients)")
    def test_libvirt_takes_every_domain(self):
        self.assertGreater(len(FILES), 28)
        for file in FILES:
            for form in ("libvirt", "libvirt-kvm", "libvirt-qemu"):
                with self.subTest(file=file.name, form=form):
                    domain = self.place / "domain.xml"
                    domain.write_text(printed(form, file))
                    run = subprocess.run(["virt-xml-validate", domain, "domain"], capture_output=True, text=True,
                                         check=False)
                    self.assertEqual(run.returncode, 0, run.stdout + run.stderr + domain.read_text())

    def read_by_xen(self, reader, text):
        configuration = self.place / "domain.cfg"
        configuration.write_text(text)
        run = subprocess.run([reader, configuration], capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""), text)
        return run.stdout.splitlines()

    def test_xen_reads_both_spellings_alike(self):
        reader = self.place / "xen_reader"
        compiled = subprocess.run(["cc", "-o", reader, FOLDER / "xen_reader.c", "-lxlutil", "-lxenlight"],
                                  capture_output=True, text=True, check=False)
        if compiled.returncode != 0:
            self.skipTest("Xen's parser is not installed (Debian: libxen-dev)")
        for file in FILES:
            with self.subTest(file=file.name):
                today = self.read_by_xen(reader, printed("xl", file))
                old = self.read_by_xen(reader, printed("xm", file))
                self.assertTrue(any(line.startswith("name=") for line in today), today)
                self.assertEqual(old, today)

    def test_either_spelling_is_read_as_the_other(self):
        for file in FILES:
            with self.subTest(file=file.name):
                for form, other in (("xl", "xm"), ("xm", "xl")):
                    text = self.place / "domain.cfg"
                    text.write_text(printed(form, file))
                    self.assertEqual(printed(other, text), printed(other, file))

    def test_an_imported_domain_is_the_same(self):
        for file in FILES:
            if file.suffix != ".cfg":
                continue
            with self.subTest(file=file.name):
                self.check_import(file, printed("xl", file))

    def check_import(self, file, expected):
        recipe = self.place / "imported.toml"
        run = subprocess.run([PROGRAM, "import", file, "--output", recipe], capture_output=True, text=True, check=False)
        if "without an installed kernel its type" in run.stderr or "it is taken by the one" in run.stderr:
            return  # xl could not start it either
        self.assertEqual(run.returncode, 0, run.stderr)
        if run.stderr or "\nuuid = " not in expected:
            return  # what is lost is listed, and a domain without a UUID is given one
        self.assertEqual(printed("xl", recipe), expected)

    def build(self, *options, check=True):
        run = subprocess.run([PROGRAM, "--quiet", "build", "--output", self.place / "out", *options,
                              RECIPES / "windows.toml"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode == 0, check, run.stderr)
        return run

    def built(self):
        """{name: mode} of what a build left."""
        return {path.name: path.stat().st_mode & 0o777 for path in (self.place / "out/windows").iterdir()}

    def test_a_description_gives_its_configurations_only(self):
        self.build()
        self.assertEqual(self.built(), {"manifest.json": 0o644, "windows.cfg": 0o644})
        self.build("--libvirt", "--dialect", "xm")
        self.assertEqual(self.built(), {"manifest.json": 0o644, "windows.cfg": 0o644, "windows.xml": 0o644})
        self.assertIn('builder = "hvm"\n', (self.place / "out/windows/windows.cfg").read_text())
        self.assertEqual(sorted(path.name for path in (self.place / "out").iterdir()), ["windows"])

    def test_a_password_is_for_its_owner_only(self):
        self.build("--set", "domain.vnc={ password = { random = true } }", "--libvirt")
        self.assertEqual(self.built(), {"manifest.json": 0o644, "vnc-password": 0o600, "windows.cfg": 0o600,
                                        "windows.xml": 0o600})
        password = (self.place / "out/windows/vnc-password").read_text().strip()
        self.assertEqual(len(password), 8)
        configuration = self.place / "out/windows/windows.cfg"
        self.assertIn(f'\nvncpasswd = "{password}"\n', configuration.read_text())
        self.assertIn(f' passwd="{password}"', (self.place / "out/windows/windows.xml").read_text())
        self.assertNotIn(password, printed("xl", configuration))

    def test_a_password_that_everybody_can_read_is_refused(self):
        secret = self.place / "secret"
        secret.write_text("geheim\n")
        secret.chmod(0o644)
        given = ("--set", f"domain.vnc={{ password = {{ file = '{secret}' }} }}")
        self.assertEqual(self.build(*given, check=False).stderr,
                         f"cannot take the VNC password from '{secret}': everybody can read it (chmod o-r {secret})\n")
        secret.chmod(0o600)
        self.build(*given)
        self.assertEqual(self.built(), {"manifest.json": 0o644, "windows.cfg": 0o600})
        secret.write_text("much too long\n")
        self.assertEqual(self.build(*given, check=False).stderr,
                         "cannot set the VNC password: it has 13 characters, and VNC takes 1 to 8\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
