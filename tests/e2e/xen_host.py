"""A dom0 of Xen, built by vprov and booted in QEMU (TCG), with directories of this machine in it.

Xen's console goes to a file. The shell of dom0 is on one of virtio, for Xen's takes 128 characters at once and drops the
rest. QEMU 7.2 emulates what Xen needs, with exceptions that -cpu names:
  -smap         dom0 dies of a page fault at its first far return
  -rdtscp       QEMU reports it as RDTSC, and Xen destroys guests with hardware support that execute it
  -avx, ...     VEX instructions are undefined in guests with hardware support, whose aesni_intel tries them
  -xsave        with it, without eager-fpu (Xen's option) or with two processors, guests die now and then, mostly in libc
                where it uses SSE
Now and then the machine stands still for ever, as one that has lost its timer: QEMU takes no time of the host's
processors then, and for a dom0 that has nothing to do some 5 ms in a second. That is StandsStill, and not of the dom0.
"""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import time

import vprov_under_test
from device_guest import packages_of_libraries
from guest_console import GuestConsole

CPU = "max,-smap,-rdtscp,-avx,-avx2,-f16c,-xsave"
HYPERVISOR = "/boot/xen-4.17-amd64.gz"
PROGRAMS = ["debugfs", "mke2fs", "qemu-system-x86_64"]

# Instead of systemd, which takes half a minute longer here. What `vprov doctor` and xl need is Debian's init script.
INIT = """#!/bin/bash
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
mountpoint -q /run || mount -t tmpfs tmpfs /run
mkdir -p /run/lock
for module in loop xen-blkback xen-netback bridge virtio_console; do modprobe $module; done
ip link set lo up
hostname dom0
/etc/init.d/xen start
ip link add bridge0 type bridge
ip addr add 10.9.0.1/24 dev bridge0
ip link set bridge0 up
cd /root
exec </dev/hvc1 >/dev/hvc1 2>&1  # and kept open: what is typed before there is a shell would be lost
stty -echo
echo dom0 is up
while :; do PS1= setsid -c bash --norc -i; done
"""
RECIPE = """
name = "dom0"
[system]
variant = "minbase"
include = {include}
[system.kernel]
package = "linux-image-amd64"
[[disk]]
name = "root"
size = "2G"
filesystem = "ext4"
mount = "/"
[[file]]
path = "/etc/initramfs-tools/conf.d/few-modules"
content = "MODULES=list\\nCOMPRESS=gzip\\n"
stage = "essential"
[[file]]
path = "/etc/initramfs-tools/modules"
content = "virtio_pci\\nvirtio_blk\\next4\\n"
stage = "essential"
[[file]]
path = "/sbin/dom0-init"
content = '''{init}'''
mode = "0755"
"""
PACKAGES = ["xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xenstore-utils", "iproute2", "kmod", "procps", "python3-minimal"]


class StandsStill(Exception):
    pass


class Dom0Console(GuestConsole):
    LOOKS_AFTER, LEAST = 60, 0.03  # seconds of time, and of the processors'

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.looked, self.used = time.monotonic(), 0.0

    def read(self, seconds):
        super().read(seconds)
        now = time.monotonic()
        if now - self.looked < self.LOOKS_AFTER:
            return
        counts = vprov_under_test.read_bytes(pathlib.Path(f"/proc/{self.process.pid}/stat")).rpartition(b")")[2].split()
        used = sum(map(int, counts[11:13])) / os.sysconf("SC_CLK_TCK")
        if used - self.used < self.LEAST:
            raise StandsStill
        self.looked, self.used = now, used


class XenHost:
    """Built in `test`'s place. `folders` are directories that the dom0 sees at the same paths."""

    def __init__(self, test):
        self.test, self.place = test, test.place
        self.directory = test.output / "dom0"
        include = sorted({*PACKAGES, *packages_of_libraries(vprov_under_test.vprov)})
        test.assert_done(test.build(test.recipe(RECIPE.format(include=json.dumps(include), init=INIT), "dom0.toml")))
        self.take_hypervisor()

    def take_hypervisor(self):
        packed = self.place / "xen.gz"
        subprocess.run(["debugfs", "-R", f"dump {HYPERVISOR} {packed}", str(self.directory / "root.img")],
                       capture_output=True, check=True)
        (self.place / "xen").write_bytes(gzip.decompress(packed.read_bytes()))  # an ELF that QEMU's -kernel takes

    def give(self, folder, megabytes):
        """`folder`, with vprov besides, on a disk that the dom0 mounts at its path."""
        shutil.copy(vprov_under_test.vprov, folder / "vprov")
        self.given = folder
        subprocess.run(["mke2fs", "-qF", "-t", "ext4", "-m", "0", "-d", str(folder), str(self.place / "given.img"),
                        f"{megabytes}M"], stdout=subprocess.DEVNULL, check=True)

    def boot(self):
        """The console of a shell in dom0."""
        console = Dom0Console(self.qemu(), os.environ, vprov_under_test.DEADLINE)
        try:
            console.wait_for("dom0 is up")
            console.settle()
            for command in (f"mkdir -p {self.given}; mount /dev/vdb {self.given} && cd {self.given}",
                            "ln -s $PWD/vprov /usr/local/bin/"):
                status, said = console.run(command)
                self.test.assertEqual((status, said), (0, ""))
        except BaseException:
            console.__exit__()
            raise
        return console

    def qemu(self):
        uuid = json.loads((self.directory / "manifest.json").read_text())["disks"][0]["uuid"]
        return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", CPU, "-machine", "pc", "-smp", "1", "-m", "3072",
                "-nodefaults", "-display", "none", "-no-reboot", "-device", "virtio-rng-pci",
                "-serial", f"file:{self.place}/xen.log", "-chardev", "stdio,id=shell,signal=off",
                "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell",
                "-kernel", f"{self.place}/xen",
                "-append", "console=com1 com1=115200,8n1 dom0_mem=1024M,max:1024M dom0_max_vcpus=1 noreboot "
                "spec-ctrl=eager-fpu",
                "-initrd", f"{self.directory}/vmlinuz root=UUID={uuid} ro console=hvc0 init=/sbin/dom0-init rw,"
                f"{self.directory}/initrd.img",
                "-drive", f"file={self.directory}/root.img,format=raw,if=virtio,snapshot=on",
                "-drive", f"file={self.place}/given.img,format=raw,if=virtio,cache=unsafe"]
