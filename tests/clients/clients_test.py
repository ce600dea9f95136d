#!/usr/bin/env python3
"""Programs that call debootstrap, as Debian ships them, with vprov in its place: pbuilder, sbuild-createchroot and
xen-create-image.

They work in a bookworm system of their own, made by `vprov bootstrap`, in which /usr/sbin/debootstrap is a link to vprov:
this machine has none of them installed, and keeps nothing of what they do.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import vprov_under_test  # noqa: E402
from vprov_under_test import VprovTest  # noqa: E402

CLIENTS = ["pbuilder", "sbuild", "schroot", "xen-tools"]
NEEDED = ["ca-certificates", "debian-archive-keyring", "gpgv", "e2fsprogs", "kmod", "mount", "procps"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# As PID 1 of namespaces of its own: mounts and processes end with it.
ENTER = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/var/cache/vprov"
lab=$1
shift 2
exec chroot "$lab" "$@"
"""


def library_packages(program):
    """The packages of the libraries that the program is linked with."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    packages = set()
    for path in re.findall(r"=> (/\S+)", listed):
        names = {path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr"), path.removeprefix("/usr")}
        found = subprocess.run(["dpkg-query", "--search", *sorted(names)], capture_output=True, text=True, check=False).stdout
        packages.update(line.split(":")[0] for line in found.splitlines() if not line.startswith("diversion"))
    return sorted(packages)


def loop_files():
    """What the loop devices of this machine show."""
    return [path.read_text().strip() for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")]


class ClientsTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maker = cls("make_lab")
        cls.maker.setUp()
        cls.addClassCleanup(cls.maker.doCleanups)
        cls.maker.make_lab()

    def make_lab(self):
        self.mirror = vprov_under_test.host_mirror()
        self.lab = self.place / "lab"
        names = CLIENTS + NEEDED + library_packages(vprov_under_test.vprov)
        self.assert_done(self.run_vprov("bootstrap", "--variant=minbase", "--no-updates", f"--include={','.join(names)}",
                                        "--cache-dir", self.cache, "bookworm", self.lab, self.mirror))
        shutil.copy(vprov_under_test.vprov, self.lab / "usr/local/bin/vprov")
        debootstrap = self.lab / "usr/sbin/debootstrap"
        debootstrap.unlink()
        debootstrap.symlink_to("/usr/local/bin/vprov")
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.lab / "etc" / name)
        (self.lab / "var/cache/vprov").mkdir()

    def in_lab(self, *command):
        proxies = {name: value for name, value in os.environ.items() if name.endswith("_proxy")}
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--propagation", "private",
                "sh", "-e", "-c", ENTER, "sh", self.maker.lab, self.cache, *command]
        run = subprocess.run(argv, env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **proxies}, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                             timeout=vprov_under_test.DEADLINE)
        self.assertEqual(run.returncode, 0, run.stdout)
        return run.stdout

    def check_nothing_left(self):
        place = str(self.maker.place)
        self.maker.assert_all_ended()
        self.assertNotIn(place, pathlib.Path("/proc/self/mountinfo").read_text())
        self.assertEqual([path for path in loop_files() if place in path], [])

    def packages_in(self, tree):
        listed = subprocess.run(["chroot", self.maker.lab / tree, "dpkg-query", "--show", "--showformat",
                                 "${Package} ${db:Status-Abbrev}\n"], capture_output=True, text=True, check=True).stdout
        return {line.split()[0]: line.split()[1] for line in listed.splitlines()}

    def test_debootstrap_is_vprov(self):
        self.assertRegex(self.in_lab("debootstrap", "--version"), r"^debootstrap \d+\.\d+\.\d+\+vprov\d")

    def test_pbuilder_create(self):
        said = self.in_lab("pbuilder", "create", "--distribution", "bookworm", "--mirror", self.maker.mirror,
                           "--basetgz", "/srv/base.tar", "--compressprog", "cat")
        self.assertIn("I: running debootstrap\n", said)
        self.assertIn("I: Base system installed successfully.\n", said)
        self.assertIn("I: debootstrap finished\n", said)
        members = subprocess.run(["tar", "--list", "--file", self.maker.lab / "srv/base.tar"], capture_output=True,
                                 text=True, check=True).stdout.splitlines()
        for member in ("./usr/bin/gcc", "./var/lib/dpkg/info/build-essential.list", "./etc/apt/sources.list",
                       "./etc/unsupported-skip-usrmerge-conversion"):
            self.assertIn(member, members)
        kept = [path.name for path in (self.maker.lab / "var/cache/pbuilder/aptcache").glob("build-essential_*.deb")]
        self.assertEqual(len(kept), 1, "debootstrap's --cache-dir keeps .debs by their names")
        self.check_nothing_left()

    def test_sbuild_createchroot(self):
        said = self.in_lab("sbuild-createchroot", "--include=eatmydata", "bookworm", "/srv/chroot", self.maker.mirror)
        self.assertIn("I: Successfully set up bookworm chroot.\n", said)
        states = self.packages_in("srv/chroot")
        self.assertEqual({states.get(name) for name in ("apt", "build-essential", "fakeroot", "eatmydata")}, {"ii"})
        self.assertEqual(set(states.values()), {"ii"})
        configurations = list((self.maker.lab / "etc/schroot/chroot.d").glob("bookworm-amd64-sbuild-*"))
        self.assertEqual(len(configurations), 1)
        self.check_nothing_left()

    @unittest.skipUnless(os.path.exists("/dev/loop-control"), "xen-create-image mounts its image through a loop device")
    def test_xen_create_image(self):
        for name in ("vmlinuz", "initrd.img"):  # of the host, which xen-create-image only names in the configuration
            (self.maker.lab / "boot" / name).write_text("not read\n")
        for folder in ("etc/xen", "srv/xen"):
            (self.maker.lab / folder).mkdir()
        said = self.in_lab("xen-create-image", "--hostname=guest1", "--dir=/srv/xen", "--size=1500M", "--noswap",
                           "--dist=bookworm", f"--mirror={self.maker.mirror}", "--dhcp", "--no-hosts", "--nopygrub",
                           "--kernel=/boot/vmlinuz", "--initrd=/boot/initrd.img", "--password=secret",
                           "--install-method=debootstrap", "--debootstrap-cmd=/usr/sbin/debootstrap", "--verbose")
        self.assertIn("Using /usr/sbin/debootstrap as debootstrap command\n", said)
        self.assertIn("I: Base system installed successfully.\n", said)
        self.assertIn("Logfile produced at:\n\t /var/log/xen-tools/guest1.log\n", said)
        self.assertIn("/srv/xen/domains/guest1/disk.img", (self.maker.lab / "etc/xen/guest1.cfg").read_text())
        image = self.maker.lab / "srv/xen/domains/guest1/disk.img"
        for path, expected in (("/etc/hostname", "guest1"), ("/var/lib/dpkg/status", "Package: openssh-server")):
            shown = subprocess.run(["debugfs", "-R", f"cat {path}", image], capture_output=True, text=True, check=True)
            self.assertIn(expected, shown.stdout)
        self.check_nothing_left()


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "unshare", "ldd", "dpkg-query")
