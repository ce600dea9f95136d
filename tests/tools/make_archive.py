#!/usr/bin/env python3
"""Builds a small, complete, signed Debian archive from packages described in Python.

In a test:

    from make_archive import Archive, SigningKey

    with SigningKey() as key:
        archive = Archive("/tmp/x/archive", key, suite="bookworm", architecture="amd64")
        archive.add({
            "name": "hello", "version": "1.0-1", "arch": "amd64",       # arch: "all" if absent
            "fields": {"Depends": "base-files", "Essential": "yes"},    # further control fields
            "files": {
                "/usr/bin/hello": {"content": "#!/bin/sh\\necho hi\\n", "mode": 0o755},
                "/etc/hello.conf": "a = 1\\n",                           # text or bytes: mode 0644
                "/usr/bin/hi": {"link": "hello"},                       # a symbolic link
                "/usr/bin/ho": {"hardlink": "/usr/bin/hello"},          # of a file that stands above it
                "/run/hello": {"pipe": True, "owner": (33, 33)},        # as root only: any entry may have an owner
                "/var/lib/hello": {"directory": True, "mode": 0o700},
            },
            "conffiles": ["/etc/hello.conf"],                           # default: none
            "scripts": {"postinst": "#!/bin/sh\\nexit 0\\n"},             # preinst postinst prerm postrm config
            "triggers": "interest-noawait /usr/share/hello\\n",
            "control_files": {"md5sums": "...\\n"},                     # any others; dpkg-deb does not check them then
            "compression": "xz",                                        # xz (default) gzip zstd none
            "index": {"SHA256": "0" * 64},                              # lies of the Packages stanza
        })
        archive.write()            # debs, Packages{,.gz,.xz}, by-hash/, Release, Release.gpg, InRelease
        archive.uri                # "file:///tmp/x/archive"; serve.py serves it over HTTP
        key.keyring, key.armoured  # the public key as .gpg and as .asc, for signed_by
        key.fingerprint

Then it can be broken on purpose: change files under `archive.directory`, or `archive.release["Valid-Until"] = ...`
followed by `archive.write_release()`, which signs again.

On the command line (PACKAGES.json: a list of the dictionaries above):

    make_archive.py DIRECTORY PACKAGES.json [--suite bookworm] [--architecture amd64] [--keyring FILE]

The same input gives the same .debs. Needs dpkg-deb and gpg. Touches only the directory it is given and a temporary
GNUPGHOME, whose agent it ends.
"""

import argparse
import email.utils
import gzip
import hashlib
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

EPOCH = 1700000000  # of every file in every .deb
SUMS = {"MD5Sum": hashlib.md5, "SHA1": hashlib.sha1, "SHA256": hashlib.sha256}  # by the field of a Release file
STANZA_NAMES = {"MD5Sum": "MD5sum", "SHA1": "SHA1", "SHA256": "SHA256"}         # of a Packages stanza


class SigningKey:
    """A key in a GNUPGHOME of its own. close() (or `with`) ends the agent and removes it all."""

    def __init__(self, name="Test Archive <archive@example.org>", expires="never", algorithm="ed25519", at=None):
        """`at`: "20200101T000000", a faked time of its making and of what it signs."""
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vprov-gnupg-"))
        self.clock = [f"--faked-system-time={at}!"] if at else []
        self.gpg("--quick-gen-key", name, algorithm, "sign", expires)
        listing = self.gpg("--with-colons", "--list-keys").decode().splitlines()
        self.fingerprint = next(line.split(":")[9] for line in listing if line.startswith("fpr:"))
        self.keyring = self.home / "archive.gpg"
        self.armoured = self.home / "archive.asc"
        self.export()

    def export(self):
        self.keyring.write_bytes(self.gpg("--export"))
        self.armoured.write_bytes(self.gpg("--armor", "--export"))

    def revoke(self):
        """With the certificate that gpg made with the key, whose first line is disarmed with a colon."""
        certificate = (self.home / f"openpgp-revocs.d/{self.fingerprint}.rev").read_text()
        self.gpg("--import", data=certificate.replace(":-----BEGIN", "-----BEGIN").encode())
        self.export()

    def gpg(self, *arguments, data=None):
        command = ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback",
                   "--passphrase", "", *self.clock, *arguments]
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout

    def clear_sign(self, text):
        return self.gpg("--digest-algo", "SHA256", "--clearsign", "--output", "-", data=text.encode())

    def detached(self, text):
        return self.gpg("--digest-algo", "SHA256", "--armor", "--detach-sign", "--output", "-", data=text.encode())

    def close(self):
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stanza(fields):
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def control_fields(package):
    fields = {
        "Package": package["name"],
        "Version": package["version"],
        "Architecture": package.get("arch", "all"),
        "Maintainer": "Test Archive <archive@example.org>",
        "Section": "misc",
        "Priority": "optional",
        "Description": f"test package {package['name']}\n made for a test",
    }
    fields.update(package.get("fields", {}))
    return fields


def put(root, path, entry):
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(entry, (str, bytes)):
        entry = {"content": entry}
    if "link" in entry:
        target.symlink_to(entry["link"])
    elif "hardlink" in entry:
        os.link(root / entry["hardlink"].lstrip("/"), target)
    elif entry.get("pipe"):
        os.mkfifo(target)
        target.chmod(entry.get("mode", 0o644))
    elif entry.get("directory"):
        target.mkdir(exist_ok=True)
        target.chmod(entry.get("mode", 0o755))
    else:
        content = entry.get("content", "")
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(entry.get("mode", 0o644))
    if "owner" in entry:
        os.lchown(target, *entry["owner"])
        if "mode" in entry:
            target.chmod(entry["mode"])  # chown(2) clears setuid bits


def build_deb(package, target):
    """Builds one .deb with dpkg-deb at `target`."""
    with tempfile.TemporaryDirectory(prefix="vprov-deb-") as work:
        root = pathlib.Path(work) / "root"
        (root / "DEBIAN").mkdir(parents=True)
        root.chmod(0o755)
        for path, entry in package.get("files", {}).items():
            put(root, path, entry)
        (root / "DEBIAN/control").write_text(stanza(control_fields(package)))
        for name, text in package.get("scripts", {}).items():
            put(root, f"DEBIAN/{name}", {"content": text, "mode": 0o755})
        if package.get("conffiles"):
            (root / "DEBIAN/conffiles").write_text("".join(f"{path}\n" for path in package["conffiles"]))
        if package.get("triggers"):
            (root / "DEBIAN/triggers").write_text(package["triggers"])
        for name, text in package.get("control_files", {}).items():
            put(root, f"DEBIAN/{name}", text)
        options = ["--nocheck"] if package.get("control_files") else []
        if not any(isinstance(entry, dict) and "owner" in entry for entry in package.get("files", {}).values()):
            options.append("--root-owner-group")
        for path in sorted(root.rglob("*")):
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", f"-Z{package.get('compression', 'xz')}", "--build", *options, str(root),
                        str(target)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL if "--nocheck" in options else None,  # it warns of that
                       env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"})


class Archive:
    """One suite of an archive. Several with the same directory share pool/ and may differ in suite."""

    def __init__(self, directory, key, suite="bookworm", architecture="amd64", codename=None, component="main",
                 valid_for=7 * 86400, foreign=()):
        self.directory = pathlib.Path(directory).absolute()
        self.key, self.suite, self.architecture, self.component = key, suite, architecture, component
        self.foreign = foreign  # further architectures, each with a Packages file of its own
        self.packages = []
        self.stanzas = []  # of packages from elsewhere, whose files the caller puts where they say
        now = int(time.time())
        self.release = {
            "Origin": "Test", "Label": "Test", "Suite": suite, "Codename": codename or suite, "Version": "12.0",
            "Date": email.utils.formatdate(now, usegmt=True),
            "Valid-Until": email.utils.formatdate(now + valid_for, usegmt=True),
            "Acquire-By-Hash": "yes", "Architectures": " ".join((architecture, *foreign)), "Components": component,
            "Description": "an archive for tests",
        }
        self.digests = ["MD5Sum", "SHA256"]     # of the Release file; a Packages stanza has MD5sum, SHA1, SHA256
        self.forms = ["", ".gz", ".xz"]         # of the Packages file
        self.compression = "xz"                 # of a .deb that does not say
        self.in_release = True

    def make_old(self, digests=("MD5Sum", "SHA1")):
        """The shape of the archives of 2007: Release with Release.gpg, Packages.gz, data.tar.gz, no SHA-256. Before write()."""
        self.digests, self.forms, self.compression, self.in_release = list(digests), [".gz"], "gzip", False
        self.release.pop("Acquire-By-Hash", None)

    @property
    def uri(self):
        return f"file://{self.directory}"

    @property
    def dists(self):
        return self.directory / "dists" / self.suite

    @property
    def index_folder(self):
        return self.dists / self.component / f"binary-{self.architecture}"

    def add(self, package):
        self.packages.append(package)

    def pool_path(self, package):
        """Relative to the archive's directory: the Filename of the Packages stanza."""
        name, version = package["name"], package["version"].split(":", 1)[-1]
        return f"pool/{self.component}/{name[0]}/{name}/{name}_{version}_{package.get('arch', 'all')}.deb"

    def write(self):
        stanzas = [text.rstrip("\n") + "\n" for text in self.stanzas]
        for package in self.packages:
            path = self.pool_path(package)
            build_deb({"compression": self.compression, **package}, self.directory / path)
            data = (self.directory / path).read_bytes()
            fields = control_fields(package)
            fields.setdefault("Installed-Size", str(1 + sum(
                len(e if isinstance(e, (str, bytes)) else e.get("content", "")) for e in package.get("files", {}).values()
            ) // 1024))
            fields.update({"Filename": path, "Size": str(len(data))})
            fields.update({STANZA_NAMES[name]: SUMS[name](data).hexdigest() for name in self.digests})
            fields.update(package.get("index", {}))
            stanzas.append(stanza(fields))
        self.write_packages("\n".join(stanzas) if not self.foreign else self.of(self.architecture, stanzas))
        for architecture in self.foreign:
            self.write_packages(self.of(architecture, stanzas), self.index_folder.with_name(f"binary-{architecture}"))
        self.write_release()

    @staticmethod
    def of(architecture, stanzas):
        """Those for the architecture, which has those of "all" as well."""
        wanted = (f"\nArchitecture: {architecture}\n", "\nArchitecture: all\n")
        return "\n".join(text for text in stanzas if any(line in text for line in wanted))

    def write_packages(self, text, folder=None):
        """Replaces the Packages file in all its forms; write_release() must follow."""
        folder = folder or self.index_folder
        folder.mkdir(parents=True, exist_ok=True)
        plain = text.encode()
        for suffix, data in (("", plain), (".gz", gzip.compress(plain, mtime=0)), (".xz", lzma.compress(plain))):
            if suffix in self.forms:
                (folder / f"Packages{suffix}").write_bytes(data)

    def write_release(self):
        """Lists the index files in Release, fills by-hash/ and signs."""
        sums = {name: SUMS[name] for name in self.digests}
        lines = {name: [] for name in sums}
        for path in sorted(self.dists.rglob("Packages*")):
            if "by-hash" in path.parts:
                continue
            data = path.read_bytes()
            for name, algorithm in sums.items():
                digest = algorithm(data).hexdigest()
                lines[name].append(f" {digest} {len(data):>8} {path.relative_to(self.dists)}\n")
                if "Acquire-By-Hash" not in self.release:
                    continue
                by_hash = path.parent / "by-hash" / name / digest
                by_hash.parent.mkdir(parents=True, exist_ok=True)
                by_hash.write_bytes(data)
        text = stanza({key: value for key, value in self.release.items() if value is not None})
        text += "".join(f"{name}:\n{''.join(lines[name])}" for name in sums)
        self.sign(text)

    def sign(self, text):
        (self.dists / "Release").write_text(text)
        (self.dists / "Release.gpg").write_bytes(self.key.detached(text))
        if self.in_release:
            (self.dists / "InRelease").write_bytes(self.key.clear_sign(text))


def main():
    parser = argparse.ArgumentParser(description="Build a small signed Debian archive.")
    parser.add_argument("directory")
    parser.add_argument("packages", help="a JSON file: a list of packages")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--architecture", default="amd64")
    parser.add_argument("--keyring", help="write the public key here (default: DIRECTORY/archive.gpg)")
    options = parser.parse_args()
    with SigningKey() as key:
        archive = Archive(options.directory, key, suite=options.suite, architecture=options.architecture)
        for package in json.loads(pathlib.Path(options.packages).read_text()):
            archive.add(package)
        archive.write()
        keyring = options.keyring or archive.directory / "archive.gpg"
        shutil.copyfile(key.keyring, keyring)
        print(f"{archive.uri} {options.suite} signed by {key.fingerprint}, keyring {keyring}")


if __name__ == "__main__":
    main()
