"""An archive of a package whose guest is complete: this machine's dpkg with its libraries and a shell, a few megabytes.

What is built from it goes through every stage, needs no network, and takes a second.
"""

import os
import pathlib
import re
import subprocess

from make_archive import Archive

PROGRAMS = {"/usr/bin/dpkg": "/usr/bin/dpkg", "/bin/sh": "/bin/sh", "/bin/rm": "/bin/rm"}
# dpkg wants these to be there; nothing here has it run them
NAMED_ONLY = ["/bin/tar", "/usr/bin/diff", "/usr/bin/dpkg-deb", "/usr/bin/dpkg-split", "/sbin/ldconfig", "/sbin/start-stop-daemon"]
FOLDERS = ["/etc", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/var/tmp"]


def libraries_of(program):
    """The paths of its loader and libraries, as its own table and ldd(1) name them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def tiny_package(blob_megabytes=0):
    """`blob_megabytes`: of data besides, for writing that takes its time."""
    files = {}
    for path, source in PROGRAMS.items():
        files[path] = {"content": pathlib.Path(source).read_bytes(), "mode": 0o755}
        for library in libraries_of(source):
            files[library] = {"content": pathlib.Path(library).read_bytes(), "mode": 0o755}
    for path in NAMED_ONLY:
        files[path] = {"content": "#!/bin/sh\nexit 0\n", "mode": 0o755}
    for path in FOLDERS:
        files[path] = {"directory": True}
    for number in range(blob_megabytes):
        files[f"/usr/share/blob/{number}"] = os.urandom(1 << 20)
    return {"name": "dpkg", "version": "1.21.22", "fields": {"Essential": "yes"}, "files": files, "compression": "gzip"}


def tiny_archive(directory, key, blob_megabytes=0):
    archive = Archive(directory, key)
    archive.add(tiny_package(blob_megabytes))
    for name in ("dosfstools", "btrfs-progs"):  # which a guest with such file systems gets
        archive.add({"name": name, "version": "1.0-1"})
    archive.write()
    return archive
