#!/usr/bin/env python3
"""Compares two root file systems entry by entry: directories or tar files.

    tree_diff.py [--ignore FILE] [--most N] EXPECTED ACTUAL

For every path: its kind, mode and numeric owner; a file's length and SHA-256; a link's target; a device's numbers; the
other names of a file with several; extended attributes, capabilities among them. Times are not compared.

FILE has a pattern a line, `PATTERN [ASPECT...] # reason`: paths without the leading slash, with *, ? and [] as in a
shell (* crosses slashes). With aspects (content, mode, owner, target, ...) only those may differ and the path must be
in both; `missing` and `extra` allow it in EXPECTED or ACTUAL only; without any, anything may differ. A pattern that
excuses nothing is reported too, so that the list stays as short as it can be.

Exit status: 0 for the same, 1 for different, 2 for a mistake of the caller's. The last line is the verdict.
As a module: read_tree(PATH) -> {path: {aspect: text}}, compare(EXPECTED, ACTUAL) -> [Difference], IgnoreList(FILE).
"""

import argparse
import dataclasses
import fnmatch
import hashlib
import os
import pathlib
import stat
import sys
import tarfile

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFCHR: "character device",
         stat.S_IFBLK: "block device", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
TAR_KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link",
             tarfile.CHRTYPE: "character device", tarfile.BLKTYPE: "block device", tarfile.FIFOTYPE: "pipe"}
XATTR = "SCHILY.xattr."


@dataclasses.dataclass(frozen=True)
class Difference:
    path: str
    aspect: str  # "missing": not in ACTUAL; "extra": only there
    expected: str = ""
    actual: str = ""

    def __str__(self):
        if self.aspect in ("missing", "extra"):
            return f"{self.path}: {self.aspect} ({self.expected or self.actual})"
        return f"{self.path}: {self.aspect}: expected {self.expected}, actual {self.actual}"


def content_of(stream):
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return f"{size} bytes, {digest.hexdigest()[:20]}"


def attributes_text(attributes):
    return " ".join(f"{name}={value.hex()}" for name, value in sorted(attributes.items()))


def entry(kind, mode, uid, gid):
    return {"kind": kind, "owner": f"{uid}:{gid}"} | ({} if kind == "link" else {"mode": f"{mode & 0o7777:04o}"})


def mark_hard_links(tree, groups):
    for paths in groups:
        for path in paths:
            if len(paths) > 1:
                tree[path]["names"] = " ".join(sorted(paths))


def read_directory(root):
    tree, inodes = {}, {}
    for base, folders, files in os.walk(root):
        for name in folders + files:
            place = os.path.join(base, name)
            path = os.path.relpath(place, root)
            status = os.lstat(place)
            found = entry(KINDS[stat.S_IFMT(status.st_mode)], status.st_mode, status.st_uid, status.st_gid)
            if found["kind"] == "file":
                with open(place, "rb") as stream:
                    found["content"] = content_of(stream)
                inodes.setdefault((status.st_dev, status.st_ino), []).append(path)
            elif found["kind"] == "link":
                found["target"] = os.readlink(place)
            elif "device" in found["kind"]:
                found["device"] = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
            attributes = {name: os.getxattr(place, name, follow_symlinks=False)
                          for name in os.listxattr(place, follow_symlinks=False) if name != "security.selinux"}
            if attributes:
                found["attributes"] = attributes_text(attributes)
            tree[path] = found
    mark_hard_links(tree, inodes.values())
    return tree


def read_tar(file):
    tree, groups = {}, {}
    with tarfile.open(file) as archive:
        for member in archive:
            path = os.path.normpath(member.name).lstrip("/")
            if path == ".":
                continue
            if member.islnk():
                first = os.path.normpath(member.linkname).lstrip("/")
                tree[path] = dict(tree[first])
                groups.setdefault(first, [first]).append(path)
                continue
            found = entry(TAR_KINDS[member.type], member.mode, member.uid, member.gid)
            if found["kind"] == "file":
                found["content"] = content_of(archive.extractfile(member))
            elif found["kind"] == "link":
                found["target"] = member.linkname
            elif "device" in found["kind"]:
                found["device"] = f"{member.devmajor}:{member.devminor}"
            attributes = {name[len(XATTR):]: value.encode("utf-8", "surrogateescape")
                          for name, value in member.pax_headers.items() if name.startswith(XATTR)}
            if attributes:
                found["attributes"] = attributes_text(attributes)
            tree[path] = found
    mark_hard_links(tree, groups.values())
    return tree


def read_tree(path):
    return read_directory(path) if os.path.isdir(path) else read_tar(path)


def compare(expected, actual):
    differences = []
    for path in sorted(expected.keys() | actual.keys()):
        if path not in actual:
            differences.append(Difference(path, "missing", expected=expected[path]["kind"]))
        elif path not in expected:
            differences.append(Difference(path, "extra", actual=actual[path]["kind"]))
        else:
            left, right = expected[path], actual[path]
            differences += [Difference(path, aspect, left.get(aspect, "none"), right.get(aspect, "none"))
                            for aspect in sorted(left.keys() | right.keys()) if left.get(aspect) != right.get(aspect)]
    return differences


class IgnoreList:
    def __init__(self, file):
        self.rules = []  # (pattern, aspects)
        self.used = set()
        for number, line in enumerate(pathlib.Path(file).read_text().splitlines(), 1):
            rule, _, reason = line.partition("#")
            words = rule.split()
            if words and not reason.strip():
                raise ValueError(f"{file}:{number}: {words[0]} has no reason")
            if words:
                self.rules.append((words[0], frozenset(words[1:])))

    def excuses(self, difference):
        found = [(pattern, aspects) for pattern, aspects in self.rules
                 if fnmatch.fnmatchcase(difference.path, pattern) and (not aspects or difference.aspect in aspects)]
        self.used.update(found)
        return bool(found)

    def unused(self):
        return [pattern for pattern, aspects in self.rules if (pattern, aspects) not in self.used]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ignore", metavar="FILE", help="what may differ")
    parser.add_argument("--most", type=int, default=100, metavar="N", help="print at most N differences (100)")
    parser.add_argument("expected")
    parser.add_argument("actual")
    options = parser.parse_args()
    expected, actual = read_tree(options.expected), read_tree(options.actual)
    differences = compare(expected, actual)
    if options.ignore:
        ignored = IgnoreList(options.ignore)
        differences = [difference for difference in differences if not ignored.excuses(difference)]
        for pattern in ignored.unused():
            print(f"{options.ignore}: {pattern}: excuses nothing here")
    for difference in differences[:options.most]:
        print(difference)
    print(f"{len(differences)} differences in {len(expected.keys() | actual.keys())} paths")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
