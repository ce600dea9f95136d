#!/usr/bin/env python3
"""What an archive, or whoever stands between it and us, must not get in: each with its whole message, its exit status,
nothing left, and nothing of the host changed."""

import hashlib
import pathlib

import vprov_under_test
from vprov_under_test import ARCHIVE
from made_archive import BASE, MadeArchiveTest
from make_archive import SigningKey
from serve import Fault

HOST = ["/", "/etc", "/etc/apt", "/usr/bin", "/usr/lib", "/var/lib", "/var/cache", "/root", "/home"]


def state_of_the_host():
    return {path: pathlib.Path(path).stat().st_mtime_ns for path in HOST if pathlib.Path(path).exists()}


class TrustTest(MadeArchiveTest):
    def setUp(self):
        super().setUp()
        self.in_release = self.archive.dists / "InRelease"
        self.name = f"{self.url} bookworm"
        self.deb = f"{self.url}/{self.archive.pool_path(BASE)}"
        self.host = state_of_the_host()

    def refused(self, message, keyring=None):
        recipe = self.write_recipe(keyring=str(keyring or self.key.keyring))
        self.assert_said(self.build(recipe), ARCHIVE, message)
        self.assertEqual(state_of_the_host(), self.host)

    def test_no_key(self):
        nothing = self.place / "empty.gpg"
        nothing.write_bytes(b"")
        self.refused(f"cannot trust {self.name}: its signing key {self.key.fingerprint} is not in '{nothing}'", nothing)

    def test_no_signature(self):
        self.in_release.unlink()
        (self.archive.dists / "Release.gpg").unlink()
        self.refused(f"cannot trust {self.name}: it is not signed")

    def test_unknown_key(self):
        self.refused(f"cannot trust {self.name}: its signing key {self.key.fingerprint} is not in "
                     f"'{self.stranger.keyring}'", self.stranger.keyring)

    def test_expired_key(self):
        with SigningKey("Old <old@example.org>", expires="1m", at="20200101T000000") as old:
            self.archive.key = old
            self.archive.write_release()
            self.refused(f"cannot trust {self.name}: its signing key {old.fingerprint} 'Old <old@example.org>' has "
                         "expired", old.keyring)

    def test_revoked_key(self):
        with SigningKey("Gone <gone@example.org>") as gone:
            self.archive.key = gone
            self.archive.write_release()
            gone.revoke()
            self.refused(f"cannot trust {self.name}: its signing key {gone.fingerprint} 'Gone <gone@example.org>' was "
                         "revoked", gone.keyring)

    def test_bad_signature_among_good_ones(self):
        self.in_release.unlink()
        release = (self.archive.dists / "Release").read_text()
        good = self.key.gpg("--detach-sign", "--output", "-", data=release.encode())
        bad = self.stranger.gpg("--detach-sign", "--output", "-", data=b"something else\n")
        (self.archive.dists / "Release.gpg").write_bytes(good + bad)
        both = self.place / "both.gpg"
        both.write_bytes(self.key.keyring.read_bytes() + self.stranger.keyring.read_bytes())
        self.refused(f"cannot trust {self.name}: bad signature of key {self.stranger.fingerprint[-16:]} "
                     "'Stranger <stranger@example.org>': the file was changed after it was signed", both)

    def test_text_before_the_signed_block(self):
        self.in_release.write_bytes(b"Suite: bookworm\n\n" + self.in_release.read_bytes())
        self.refused(f"cannot trust {self.name}: there is text before its signed block")

    def test_text_after_the_signed_block(self):
        self.in_release.write_bytes(self.in_release.read_bytes() + b"\nSuite: bookworm\n")
        self.refused(f"cannot trust {self.name}: there is text after its signed block")

    def test_second_signed_block(self):
        self.in_release.write_bytes(2 * self.in_release.read_bytes())
        self.refused(f"cannot trust {self.name}: there is text after its signed block")

    def test_valid_until_passed(self):
        self.archive.release["Valid-Until"] = "Sat, 01 Jan 2022 00:00:00 GMT"
        self.archive.write_release()
        self.refused(f"cannot use {self.name}: its Release file has expired: it was valid until 2022-01-01 00:00:00 UTC")

    def test_release_older_than_the_one_seen_last(self):
        for date in ("Sun, 02 Jan 2022 00:00:00 GMT", "Sat, 01 Jan 2022 00:00:00 GMT"):
            self.archive.release["Date"] = date
            self.archive.write_release()
            if date.startswith("Sun"):
                self.assert_done(self.plan(self.write_recipe()))
        message = (f"cannot use {self.name}: its Release file is of 2022-01-01 00:00:00 UTC, older than the one of "
                   "2022-01-02 00:00:00 UTC seen before")
        self.refused(message)
        self.refused(message)

    def by_hash(self, suffix=""):
        """Where the index that is fetched stands, and its bytes."""
        data = min(((self.archive.index_folder / f"Packages{s}").read_bytes() for s in (".gz", ".xz")), key=len)
        digest = hashlib.sha256(data).hexdigest()
        return f"{self.url}/dists/bookworm/main/binary-amd64/by-hash/SHA256/{digest}", data

    def flipped(self, data):
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]

    def test_index_with_another_digest(self):
        url, data = self.by_hash()
        self.server.faults["*/by-hash/*"] = Fault(corrupt=True)
        self.refused(f"cannot accept {url}: its SHA-256 is {hashlib.sha256(self.flipped(data)).hexdigest()}, "
                     f"the Release file says {hashlib.sha256(data).hexdigest()}")

    def test_index_of_another_size(self):
        url, data = self.by_hash()
        self.server.faults["*/by-hash/*"] = Fault(body=data[:-1])
        self.refused(f"cannot accept {url}: it has {len(data) - 1} bytes, the Release file says {len(data)}")

    def test_endless_index(self):
        url, data = self.by_hash()
        self.server.faults["*/by-hash/*"] = Fault(endless=True)
        self.refused(f"cannot fetch {url}: larger than the {len(data)} bytes it should have")

    def test_endless_release_file(self):
        self.server.faults["*/InRelease"] = Fault(endless=True)
        self.refused(f"cannot fetch {self.url}/dists/bookworm/InRelease: larger than the 16777216 bytes it should have")

    def deb_bytes(self):
        return (self.archive.directory / self.archive.pool_path(BASE)).read_bytes()

    def test_package_with_another_digest(self):
        data = self.deb_bytes()
        self.server.faults["*.deb"] = Fault(corrupt=True)
        self.refused(f"cannot accept base 1.0 from {self.deb}: its SHA-256 is "
                     f"{hashlib.sha256(self.flipped(data)).hexdigest()}, the index says {hashlib.sha256(data).hexdigest()}")

    def test_package_of_another_size(self):
        data = self.deb_bytes()
        self.server.faults["*.deb"] = Fault(body=data[:-7])
        self.refused(f"cannot accept base 1.0 from {self.deb}: it has {len(data) - 7} bytes, the index says {len(data)}")

    def test_package_that_is_cut_short(self):
        self.server.faults["*.deb"] = Fault(truncate=100)
        self.refused(f"cannot fetch base 1.0 from {self.deb}: the connection was closed before the end")

    def test_endless_package(self):
        self.server.faults["*.deb"] = Fault(endless=True)
        self.refused(f"cannot fetch base 1.0 from {self.deb}: larger than the {len(self.deb_bytes())} bytes it should have")

    def test_redirect_to_a_file(self):
        target = f"file://{self.archive.directory}/{self.archive.pool_path(BASE)}"
        self.server.faults["*.deb"] = Fault(redirect=target)
        self.refused(f"cannot fetch base 1.0 from {self.deb}: redirected to '{target}', which is not allowed")

    def test_redirect_of_the_release_file_to_a_file(self):
        target = f"file://{self.in_release}"
        self.server.faults["*/InRelease"] = Fault(redirect=target)
        self.refused(f"cannot fetch {self.url}/dists/bookworm/InRelease: redirected to '{target}', which is not allowed")


if __name__ == "__main__":
    vprov_under_test.main("root", "gpg", "gpgv", "dpkg-deb")
