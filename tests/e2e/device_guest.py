"""A guest of our own in which vprov itself runs, with the drivers that a host may lack: device-mapper, md, SCSI disks that
can be taken away. What stands in its /payload are this vprov, an archive of one package and its key."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import vprov_under_test
from guest_console import GuestConsole
from make_archive import SigningKey
from tiny_system import libraries_of, tiny_archive

# Packages that vprov runs, besides those that its libraries are in.
TOOLS = ["lvm2", "mdadm", "gpgv", "e2fsprogs", "fdisk"]
RECIPE = """
name = "host"
[system]
variant = "minbase"
updates = false
security = false
include = {include}
[identity]
root_password = {{ random = true }}
[system.kernel]
cmdline = "no_timer_check"  # a loaded machine is late with the timers of TCG, and kernels check theirs
[[disk]]
name = "root"
size = "2G"
filesystem = "ext4"
mount = "/"
"""


def packages_of_libraries(program):
    """Debian's packages of the libraries that the program is linked with here, and of the one that it loads."""
    names = {"libparted2"}
    for library in libraries_of(program):
        found = subprocess.run(["dpkg-query", "--search", os.path.realpath(library)], capture_output=True, text=True, check=False)
        if found.returncode:  # registered with the name from before /usr was merged
            found = subprocess.run(["dpkg-query", "--search", os.path.realpath(library).removeprefix("/usr")],
                                   capture_output=True, text=True, check=True)
        names.add(re.match(r"[^:,]+", found.stdout).group())
    return sorted(names)


class DeviceGuest:
    """Built, with its payload, in `test`'s place; `disks` are sizes in MiB of its SCSI disks sda, sdb, ..., and `recipes`
    texts that stand below /payload/recipes."""

    def __init__(self, test, disks, recipes):
        self.test, self.place = test, test.place
        self.directory = test.output / "host"
        recipe = RECIPE.format(include=json.dumps(sorted({*TOOLS, *packages_of_libraries(vprov_under_test.vprov)})))
        test.assert_done(test.build(test.recipe(recipe, "host.toml")))
        self.make_payload(recipes)
        self.disks = []
        for number, size in enumerate(disks):
            disk = self.place / f"disk{number}"
            with disk.open("wb") as file:
                file.truncate(size << 20)
            self.disks.append(disk)

    def make_payload(self, recipes):
        folder = self.place / "payload"
        folder.mkdir()
        shutil.copy(vprov_under_test.vprov, folder / "vprov")
        with SigningKey() as key:
            tiny_archive(folder / "archive", key)
            shutil.copy(key.keyring, folder / "key.gpg")
        (folder / "recipes").mkdir()
        for name, text in recipes.items():
            (folder / "recipes" / name).write_text(text)
        run = ["mke2fs", "-q", "-t", "ext4", "-d", str(folder), str(self.place / "payload.img"), "96M"]
        subprocess.run(run, stdout=subprocess.DEVNULL, check=True)

    def console(self):
        return GuestConsole(self.qemu(), os.environ, vprov_under_test.DEADLINE)

    def qemu(self):
        uuid = json.loads((self.directory / "manifest.json").read_text())["disks"][0]["uuid"]
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768", "-nodefaults",
                "-display", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-no-reboot",
                "-device", "virtio-rng-pci", "-kernel", f"{self.directory}/vmlinuz", "-initrd", f"{self.directory}/initrd.img",
                "-append", f"root=UUID={uuid} ro console=ttyS0 no_timer_check",
                "-drive", f"file={self.directory}/root.img,format=raw,if=virtio,snapshot=on",
                "-drive", f"file={self.place}/payload.img,format=raw,if=virtio,readonly=on", "-device", "virtio-scsi-pci"]
        for number, disk in enumerate(self.disks):
            argv += ["-drive", f"file={disk},format=raw,if=none,id=disk{number}", "-device", f"scsi-hd,drive=disk{number}"]
        return argv

    def prepare(self, console):
        """Logs in, and makes /payload ready."""
        console.log_in("root", (self.directory / "passwords").read_text().strip().removeprefix("root: "))
        for command in ("mkdir -p /payload /srv/lab && mount -o ro /dev/vdb /payload", "cd /srv/lab"):
            status, said = console.run(command)
            self.test.assertEqual((status, said), (0, ""))
