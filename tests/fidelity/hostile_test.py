#!/usr/bin/env python3
"""Packages of a signed archive that want to harm the machine: the build ends with one sentence, and nothing else changes.

`hostile_test.py VPROV CACHE`. tests/unpack/hostile_test.cc has the finer cases; here are the large ones, and those for
which the whole program counts.
"""

import gzip
import hashlib
import io
import os
import pathlib
import resource
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import vprov_under_test  # noqa: E402
from vprov_under_test import ARCHIVE, VprovTest  # noqa: E402
from make_archive import Archive, SigningKey  # noqa: E402
from tree_diff import read_tree  # noqa: E402

EPOCH = 1700000000
MOST_MEMORY = 400 << 20


def member(name, kind=tarfile.REGTYPE, content=b"", target="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.linkname, info.size = kind, mode, EPOCH, target, len(content)
    return info, content


def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def ar(*members):
    out = b"!<arch>\n"
    for name, content in members:
        out += b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name.encode(), EPOCH, 0, 0, 0o100644, len(content))
        out += content + b"\n" * (len(content) & 1)
    return out


def control(name, version="1"):
    return f"Package: {name}\nVersion: {version}\nArchitecture: all\nDescription: x\n".encode()


def deb(data, name="evil", more_control=(), control_tar=None):
    control_tar = control_tar or gzip.compress(tar(member("./control", content=control(name)), *more_control), mtime=0)
    return ar(("debian-binary", b"2.0\n"), ("control.tar.gz", control_tar), ("data.tar.gz", data))


def squeezed(*members):
    return gzip.compress(tar(*members), mtime=0)


def repeated(block, count):
    """gzip of `block` so many times over, without ever having it all."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as stream:
        for _ in range(count):
            stream.write(block)
    return out.getvalue()


class HostileTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        cls.key = SigningKey()
        cls.addClassCleanup(cls.key.close)

    def setUp(self):
        super().setUp()
        self.host = self.place / "host"  # what the packages are after
        self.host.mkdir()
        (self.host / "shadow").write_text("root:*\n")
        self.tree = self.place / "tree"

    def bootstrap(self, *debs):
        """Of packages evil0, evil1, ..., each of which needs the one before it."""
        archive = Archive(self.place / "archive", self.key)
        pool = archive.directory / "pool"
        pool.mkdir(parents=True)
        for number, data in enumerate(debs):
            name = "evil" if len(debs) == 1 else f"evil{number}"
            (pool / f"{name}.deb").write_bytes(data)
            needs = f"Pre-Depends: evil{number - 1}\n" if number else ""
            archive.stanzas.append(control(name).decode() + f"Essential: yes\n{needs}Filename: pool/{name}.deb\n"
                                   f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n")
        archive.write()
        before = read_tree(self.host), sorted(path.name for path in self.place.iterdir())
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        run = self.run_vprov("bootstrap", "--variant=essential", "--no-updates", f"--keyring={self.key.keyring}",
                             f"--cache-dir={self.place / 'archive/cache'}", "bookworm", self.tree, archive.uri)
        self.assertLess(max(used, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024, MOST_MEMORY)
        self.assertEqual((read_tree(self.host), sorted(path.name for path in self.place.iterdir())), before)
        return run

    def assert_refused(self, run, sentence, status=ARCHIVE):
        self.assert_failed(run, status)
        self.assertEqual(run.stderr.splitlines()[-1], f"vprov: {sentence}")

    def test_dot_dot(self):
        self.assert_refused(self.bootstrap(deb(squeezed(member(f"./{'../' * 12}{self.host}/shadow", content=b"mine")))),
                            f"cannot unpack evil 1: its member './{'../' * 12}{self.host}/shadow' leads out of it")

    def test_hard_link_to_the_outside(self):
        self.assert_refused(self.bootstrap(deb(squeezed(member("./f", tarfile.LNKTYPE, target=f"{self.host}/shadow")))),
                            f"cannot unpack evil 1: its member 'f' is a hard link to '{self.host}/shadow', which is not in it")

    def test_links_lead_nowhere(self):
        """Nothing is said of links that are planted: they end inside of the tree. What is said is of the last member."""
        up = "../" * 20
        planted = squeezed(member("./absolute", tarfile.SYMTYPE, target=str(self.host)),
                           member("./up", tarfile.SYMTYPE, target=f"{up}{self.host}"),
                           member(f".{self.host}", tarfile.DIRTYPE, mode=0o755), member("./absolute/new", content=b"mine"),
                           member("./up/new-too", content=b"mine"))
        follows = squeezed(member("./absolute/shadow", content=b"mine"), member("./up/shadow2", content=b"mine", mode=0o4777),
                           member("./dev/sda", tarfile.BLKTYPE))
        self.assert_refused(self.bootstrap(deb(planted, "evil0"), deb(follows, "evil1")),
                            "cannot unpack evil1 1: its member 'dev/sda' is a device node, which no package may bring")

    def test_a_million_members(self):
        header = tar(member("./d", tarfile.DIRTYPE, mode=0o755))[:512]
        self.assert_refused(self.bootstrap(deb(repeated(header * 1000, 1001))),
                            "cannot unpack evil 1: it has more than 1000000 members")

    def test_a_bomb(self):
        piece = tar(member("./f", content=bytes(64 << 20)))[:(64 << 20) + 512]
        data = deb(repeated(piece, 8))
        limit = (256 << 20) + 200 * len(data)
        self.assertLess(limit, 8 * (64 << 20))
        self.assert_refused(self.bootstrap(data), f"cannot unpack evil 1: it unpacks to more than {limit / 1e6:.0f} MB")

    def test_a_bomb_of_control_files(self):
        files = gzip.compress(tar(member("./control", content=control("evil")), member("./x", content=bytes(80 << 20))), 1)
        self.assert_refused(self.bootstrap(deb(squeezed(), control_tar=files)),
                            "cannot unpack evil 1: its control.tar is damaged: it unpacks to more than 67.1 MB")

    def test_a_bomb_behind_a_link(self):
        """Content of what is no file would be skipped, for as long as it takes."""
        link, _ = member("./l", tarfile.LNKTYPE, target="./f")
        link.size = 1 << 20
        link.pax_headers = {"comment": "of a format in which a link may have content"}
        data = tar(member("./f"))[:512] + link.tobuf(tarfile.PAX_FORMAT) + b"x" * (1 << 20) + bytes(1024)
        self.assert_refused(self.bootstrap(deb(gzip.compress(data, mtime=0))),
                            "cannot unpack evil 1: its member './l' has content, but is no file")

    def test_another_package(self):
        self.assert_refused(self.bootstrap(deb(squeezed(), "dpkg")),
                            "cannot unpack evil 1: its control file says that it is 'dpkg' '1' for 'all'")

    def test_truncated(self):
        whole = deb(squeezed(member("./f", content=os.urandom(100000))))
        run = self.bootstrap(whole[:len(whole) // 2])
        self.assert_failed(run, ARCHIVE, "vprov: cannot unpack evil 1: cannot read ",
                           ": it ends in the middle of member 'data.tar.gz'")


if __name__ == "__main__":
    vprov_under_test.main("root", "dpkg-deb", "gpg")
