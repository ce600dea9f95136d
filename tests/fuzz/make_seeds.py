#!/usr/bin/env python3
"""Writes those seeds of the fuzz targets that are not in corpus/ below the directory that it is given: tars, plain and
compressed, and the domain configurations that the tests have."""

import bz2
import gzip
import io
import lzma
import pathlib
import shutil
import sys
import tarfile

EPOCH = 1700000000


def member(name, kind=tarfile.REGTYPE, content=b"", target="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.linkname, info.size = kind, mode, EPOCH, target, len(content)
    info.uname = info.gname = "root"
    return info, content


def tar(*members, form=tarfile.GNU_FORMAT, pax=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=pax or {}) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue().rstrip(b"\0") + bytes(1536)


def directory(name):
    return member(name, tarfile.DIRTYPE, mode=0o755)


CONTROL = b"Package: a\nVersion: 1\nArchitecture: all\n"
LINK, HARD, DEVICE, FIFO = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE

ORDINARY = tar(directory("./"), directory("./usr/"), member("./usr/x", content=b"text\n", mode=0o4755),
               member("./usr/y", HARD, target="./usr/x"), member("./usr/z", LINK, target="x"))
SEEDS = {
    "data-ordinary": b"D" + ORDINARY,
    "data-gzip": b"D" + gzip.compress(ORDINARY, mtime=0),
    "data-xz": b"D" + lzma.compress(ORDINARY),
    "data-lzma": b"D" + lzma.compress(ORDINARY, lzma.FORMAT_ALONE),
    "data-bzip2": b"D" + bz2.compress(ORDINARY),
    "data-pax": b"D" + tar(member("./" + "n" * 120, content=b"x"), form=tarfile.PAX_FORMAT,
                           pax={"comment": "of all", "SCHILY.xattr.user.x": "y"}),
    "data-long-names": b"D" + tar(member("./" + "n" * 200), member("./l", LINK, target="t" * 200)),
    "data-outside": b"D" + tar(member("../shadow", content=b"x"), member("/shadow", content=b"x")),
    "data-planted-link": b"D" + tar(member("./up", LINK, target="../../.."), member("./up/shadow", content=b"x")),
    "data-planted-absolute": b"D" + tar(member("./up", LINK, target="/"), directory("./up/d"), member("./up/d/f")),
    "data-hard-link": b"D" + tar(member("./a", content=b"1"), member("./b", HARD, target="a"), member("./a", LINK, target="b")),
    "data-special": b"D" + tar(member("./null", DEVICE), member("./pipe", FIFO)),
    "control-ordinary": b"C" + tar(member("./control", content=CONTROL), member("./md5sums", content=b"0  etc/f\n"),
                                   member("./conffiles", content=b"/etc/f\nremove-on-upgrade /etc/g\n"),
                                   member("./triggers", content=b"interest-noawait /usr/x\nactivate y\n")),
    "control-outside": b"C" + tar(member("../control", content=CONTROL)),
    "control-planted": b"C" + tar(member("./control", content=CONTROL), member("./triggers", content=b"interest ../../x\n")),
}


def main():
    folder = pathlib.Path(sys.argv[1]) / "tar"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
    configurations = sorted((pathlib.Path(__file__).parents[1] / "hypervisor").glob("cfg/*.cfg"))
    for target in ("cfg", "cfg_xen"):
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for configuration in configurations:
            shutil.copyfile(configuration, folder / configuration.name)


if __name__ == "__main__":
    main()
