#!/usr/bin/env python3
"""Systems that are not vprov's, from CDs and the network, by what stands on their screens.

Debian's packages have them: grub-rescue-pc, memtest86+ and debian-installer-12-netboot-amd64.
"""

import shutil
import socket
import subprocess
import time

import vprov_under_test
from screen_text import Screen, kernel_font
from vprov_under_test import VprovTest

# A boot sector that says "Booted from the disk" through the BIOS.
BOOT_SECTOR = (bytes.fromhex("fc 31c0 8ed8 be197c ac 84c0 7409 b40e bb0700 cd10 ebf2 f4 ebfd") +
               b"Booted from the disk\0").ljust(510, b"\0") + b"\x55\xaa"

# Listing 4, with a disk and a CD that are there.
LISTING = """
builder = 'hvm'
name = "windows"
memory = 512
vcpus = 1
disk = [ 'phy:{disk},ioemu:hda,w', 'file:{iso},ioemu:hdc:cdrom,r' ]
vif = [ 'type=ioemu, bridge=xenbr0' ]
boot = '{boot}'
vnc = 1
vncviewer = 0
vncpasswd = 'geheim'
sdl = 0
usb = 1
usbdevice = 'tablet'
on_reboot = 'restart'
"""

INSTALLER = """
name = "installer"
type = "hvm"
memory = 1024
vcpus = 2
vif = [ 'model=e1000, tftp=tftp, bootfile=/pxelinux.0' ]
boot = "n"
vnc = 1
"""


class MediaTest(VprovTest):
    def unpack(self, package):
        """The files of a Debian package."""
        folder = self.place / package
        folder.mkdir(mode=0o755)
        run = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], cwd=folder,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            self.skipTest(f"{package} cannot be downloaded: {run.stderr}")
        subprocess.run(["dpkg", "-x", next(folder.glob("*.deb")), folder], check=True)
        return folder

    def start(self, name, text):
        configuration = self.place / f"{name}.cfg"
        configuration.write_text(text)
        self.addCleanup(self.run_vprov, "destroy", name)
        self.assert_done(self.run_vprov("create", configuration))

    def screen(self, name, font=None):
        picture = self.place / "screen.png"
        self.assert_done(self.run_vprov("vncviewer", name, "--snapshot", picture))
        return Screen(picture, font).text()

    def wait_for_text(self, name, *words, font=None):
        deadline, text = time.monotonic() + vprov_under_test.DEADLINE, ""
        while time.monotonic() < deadline:
            text = self.screen(name, font)
            if all(word in text for word in words):
                return text
            time.sleep(1)
        return self.fail(f"no {words} on the screen of {name}, but:\n{text}")

    def test_listing_4(self):
        iso = next(self.unpack("grub-rescue-pc").rglob("grub-rescue-cdrom.iso"))
        disk = self.place / "hda3.img"
        disk.write_bytes(BOOT_SECTOR.ljust(1 << 20, b"\0"))
        self.start("windows", LISTING.format(disk=disk, iso=iso, boot="dc"))
        self.wait_for_text("windows", "GNU GRUB")
        with self.subTest("VNC"):
            self.check_vnc("windows")
        with self.subTest("another CD"):
            self.assert_done(self.run_vprov("cd-eject", "windows", "hdc"))
            self.assert_done(self.run_vprov("cd-insert", "windows", "hdc", iso))
        self.assert_done(self.run_vprov("destroy", "windows"))
        self.start("windows", LISTING.format(disk=disk, iso=iso, boot="c"))
        self.wait_for_text("windows", "Booted from the disk")
        self.assert_done(self.run_vprov("destroy", "windows"))
        self.assert_all_ended()

    # RFC 6143, 7.1: the version, then the kinds of security; 1 would be none, 2 is a password.
    def check_vnc(self, name):
        environment = {**self.environment(), "VNCVIEWER": "/nonexistent"}
        said = subprocess.run([vprov_under_test.vprov, "vncviewer", name], env=environment, capture_output=True,
                              text=True, check=True).stdout
        address = said.split()[0]
        self.assertEqual(said, f"{address} (asks for the password)\n")
        host, _, display = address.rpartition(":")
        self.assertEqual(host, "127.0.0.1")
        with socket.create_connection((host, 5900 + int(display)), 30) as client:
            version = client.recv(12)
            self.assertTrue(version.startswith(b"RFB 003.008"), version)
            client.sendall(version)
            self.assertEqual(client.recv(2), b"\x01\x02")

    def test_memtest(self):
        iso = next(path for path in self.unpack("memtest86+").rglob("*.iso") if "x64" in path.name)
        disk = self.place / "hda3.img"
        disk.write_bytes(bytes(1 << 20))
        self.start("windows", LISTING.format(disk=disk, iso=iso, boot="d"))
        first = self.wait_for_text("windows", "Memtest86+", "Pass", "Test")
        deadline = time.monotonic() + vprov_under_test.DEADLINE
        while self.screen("windows") == first:
            self.assertLess(time.monotonic(), deadline, "nothing moves")
            time.sleep(1)
        self.assert_done(self.run_vprov("destroy", "windows"))
        self.assert_all_ended()

    # Its boot menu is a picture, so this one has another. fb=false: letters are the kernel's, not the installer's own.
    def test_the_installer_from_the_network(self):
        installer = self.unpack("debian-installer-12-netboot-amd64")
        folder = next(installer.rglob("text/debian-installer/amd64"))
        tftp = self.place / "tftp"
        (tftp / "pxelinux.cfg").mkdir(parents=True)
        for name in ("linux", "initrd.gz", "pxelinux.0", "boot-screens/ldlinux.c32"):
            shutil.copy(folder / name, tftp)
        (tftp / "pxelinux.cfg/default").write_text("default install\nprompt 0\nlabel install\nkernel linux\n"
                                                   "append initrd=initrd.gz fb=false no_timer_check --- quiet\n")
        self.start("installer", INSTALLER)
        self.wait_for_text("installer", "Select a language", "English", "Français", font=kernel_font(tftp / "linux"))
        self.assert_done(self.run_vprov("destroy", "installer"))
        self.assert_all_ended()


if __name__ == "__main__":
    vprov_under_test.main("network", "qemu-system-x86_64", "apt-get", "dpkg")
