#!/usr/bin/env python3
"""Mirrors behind HTTPS: which authorities vouch for them, and what is refused, each with its whole message."""

import pathlib
import shutil
import tempfile

import vprov_under_test
from vprov_under_test import ARCHIVE, RECIPE
from made_archive import BASE, MadeArchiveTest
from make_certificates import Authority
from serve import ArchiveServer, Fault

FLAW = "the server's certificate is not valid: "


class HttpsTest(MadeArchiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        authorities = pathlib.Path(tempfile.mkdtemp(prefix="vprov-https-"))
        cls.addClassCleanup(shutil.rmtree, authorities)
        cls.authority = Authority(authorities / "ours")
        cls.other = Authority(authorities / "other", "Other Authority")

    def setUp(self):
        super().setUp()
        self.settings = {}
        self.secure = self.serve_with(self.authority.certificate("localhost"))
        self.in_release = f"{self.secure.url}/dists/bookworm/InRelease"

    def environment(self):
        kept = {name: value for name, value in super().environment().items()
                if name not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "HTTPS_PROXY", "all_proxy")}
        return {**kept, **self.settings}

    def serve_with(self, certificate):
        return self.serve(ArchiveServer, certificate)

    def recipe_for(self, server, authority=None):
        more = {"ca_certificates": str(authority.file)} if authority else {}
        return self.write_recipe(mirror=server.url, **more)

    def refused(self, server, cause, authority=None):
        url = f"{server.url}/dists/bookworm/InRelease"
        self.assert_said(self.build(self.recipe_for(server, authority)), ARCHIVE, f"cannot fetch {url}: {cause}")
        self.assertEqual(server.count("*"), 0, "nothing is asked of a server that is not trusted")

    def test_authority_of_the_recipe(self):
        self.assert_planned(self.recipe_for(self.secure, self.authority))

    def test_authority_of_the_recipe_beside_it(self):
        (self.place / "ca.pem").write_bytes(self.authority.file.read_bytes())
        self.assert_planned(self.write_recipe(mirror=self.secure.url, ca_certificates="ca.pem"))

    def test_authority_of_the_environment(self):
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            with self.subTest(name):
                self.settings = {name: str(self.authority.file)}
                self.assert_planned(self.recipe_for(self.secure))
        self.settings = {"CURL_CA_BUNDLE": str(self.authority.file), "SSL_CERT_FILE": str(self.other.file)}
        self.assert_planned(self.recipe_for(self.secure))
        self.settings = {"CURL_CA_BUNDLE": str(self.other.file)}
        self.assert_planned(self.recipe_for(self.secure, self.authority))  # the recipe counts

    def test_authority_of_the_command_line(self):
        arguments = ["--variant=essential", "--no-updates", "--print-debs", "--keyring", self.key.keyring, "--cache-dir",
                     self.cache]
        run = self.run_vprov("bootstrap", *arguments, "--ca-certificate", self.authority.file, "bookworm",
                             self.place / "tree", self.secure.url)
        self.assert_done(run)
        self.assertEqual(run.stdout, "base\n")
        run = self.run_vprov("bootstrap", *arguments, "bookworm", self.place / "tree", self.secure.url)
        self.assert_said(run, ARCHIVE, f"cannot fetch {self.in_release}: {FLAW}no authority that is known here has issued it")
        self.assert_done(self.run_vprov("bootstrap", *arguments, "--no-check-certificate", "bookworm", self.place / "tree",
                                        self.secure.url))

    def test_unknown_authority(self):
        self.refused(self.secure, FLAW + "no authority that is known here has issued it")
        self.refused(self.secure, FLAW + "no authority that is known here has issued it", self.other)

    def test_certificate_that_nobody_issued(self):
        server = self.serve_with((self.authority.file, self.authority.key))
        self.refused(server, FLAW + "it is self-signed")

    def test_certificate_of_another_host(self):
        server = self.serve_with(self.authority.certificate("mirror.example.org"))
        self.refused(server, FLAW + "it is not for 'localhost'", self.authority)

    def test_expired_certificate(self):
        server = self.serve_with(self.authority.certificate("localhost", days=-1))
        self.refused(server, FLAW + "it has expired", self.authority)

    def test_server_without_encryption(self):
        run = self.build(self.write_recipe(mirror=self.url.replace("http://127.0.0.1", "https://localhost")))
        self.assertEqual(run.returncode, ARCHIVE, run.stderr)
        self.assertRegex(run.stderr, r"vprov: cannot fetch https://localhost:\d+/dists/bookworm/InRelease: .*wrong version number\n$")
        self.assert_nothing_left()

    def test_authorities_that_are_not_there(self):
        recipe = self.write_recipe(mirror=self.secure.url, ca_certificates="no.pem")
        run = self.build(recipe)
        self.assertEqual((run.returncode, run.stderr),
                         (RECIPE, f"{recipe}: cannot use 'no.pem' as [system] ca_certificates: there is no file "
                                  f"'{self.place}/no.pem'\n"))

    def test_authorities_that_cannot_be_read(self):
        (self.place / "ca.pem").write_text("no certificate\n")
        run = self.build(self.write_recipe(mirror=self.secure.url, ca_certificates="ca.pem"))
        self.assert_said(run, ARCHIVE, f"cannot fetch {self.in_release}: the certificates of the authorities cannot be read")

    def test_redirect_into_the_open(self):
        """As apt: "Redirection from https to 'http://...' is forbidden"."""
        target = f"{self.url}/dists/bookworm/InRelease"
        self.secure.faults["*/InRelease"] = Fault(redirect=target)
        run = self.build(self.recipe_for(self.secure, self.authority))
        self.assert_said(run, ARCHIVE, f"cannot fetch {self.in_release}: redirected to '{target}', which is not allowed")
        self.assertEqual(self.server.count("*"), 0)

    def test_redirect_out_of_the_open(self):
        self.server.faults["*.deb"] = Fault(redirect=f"{self.secure.url}/{self.archive.pool_path(BASE)}")
        run = self.run_vprov("bootstrap", "--variant=essential", "--no-updates", "--download-only", "--keyring",
                             self.key.keyring, "--cache-dir", self.cache, "--ca-certificate", self.authority.file,
                             "bookworm", self.place / "tree", self.url)
        self.assert_done(run)
        self.assertEqual(self.secure.count("*.deb"), 1)

    def test_broken_connection_goes_on(self):
        self.secure.faults["*.deb"] = Fault(truncate=100, times=1)
        run = self.run_vprov("bootstrap", "--variant=essential", "--no-updates", "--download-only", "--keyring",
                             self.key.keyring, "--cache-dir", self.cache, "--ca-certificate", self.authority.file,
                             "bookworm", self.place / "tree", self.secure.url)
        self.assert_done(run)
        self.assertEqual([request.headers.get("Range") for request in self.secure.requests if request.path.endswith(".deb")],
                         [None, "bytes=100-"])


if __name__ == "__main__":
    vprov_under_test.main("root", "gpg", "gpgv", "dpkg-deb", "openssl")
