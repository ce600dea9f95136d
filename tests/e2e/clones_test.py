#!/usr/bin/env python3
"""Guests of one recipe: copies and overlays of a base, their identities, the pool, and what `vprov image` does to them.

    clones_test.py VPROV CACHE          ten kills, and a GPT
    clones_test.py VPROV CACHE --all    a hundred, and an MBR

One configured layer serves all of it.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import vprov_under_test
from tree_diff import compare, read_tar
from vprov_under_test import ARCHIVE, DISK, HYPERVISOR, RECIPE, USAGE, VprovTest

HASH = "$y$j9T$OrXMgoPkGbmFZ5b4R0b8q.$7X/fMaOnPFOTKPxAxgQEZ7nbiPmZTX4MlnHqh7bLGk5"
TEXT = """
name = "web"
[system]
suite = "bookworm"
variant = "minbase"
include = ["ifupdown", "openssh-server"]
updates = false
security = false
[system.kernel]
package = ""
[identity]
domain = "example.org"
root_password = {{ hash = "{hash}" }}
[[network]]
gateway = "192.0.2.1"
[guests]
name = "web%02d"
count = 3
addresses = "192.0.2.1-192.0.2.6/24"
macs = "02:00:00:00:00:fe"
{disks}
{more}
"""
BARE = """
[[disk]]
size = "500M"
filesystem = "ext4"
mount = "/"
[[disk]]
size = "16M"
filesystem = "swap"
label = "pages"
"""
PARTITIONED = """
[[disk]]
size = "800M"
table = "{table}"
[[disk.partition]]
size = "500M"
filesystem = "ext4"
mount = "/"
[[disk.partition]]
size = "64M"
filesystem = "ext4"
mount = "/home"
[[disk.partition]]
size = "16M"
filesystem = "swap"
[[disk.partition]]
size = "40M"
filesystem = "vfat"
mount = "/boot/efi"
"""
HOOK = '[[hook]]\nscript = "#!/bin/sh\\nexit 0\\n"\n'  # keeps a guest from being a clone
KILLS = 10
TABLES = ["gpt"]


def run(*argv, **options):
    return subprocess.run([*map(str, argv)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          **options)


def said(*argv):
    done = run(*argv)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


class ClonesTest(VprovTest):
    def clones(self, *arguments, disks=BARE, more="", output=None):
        recipe = self.recipe(TEXT.format(hash=HASH, disks=disks, more=more))
        return self.run_vprov("build", recipe, "--output", output or self.output, "--cache-dir", self.cache, *arguments)

    def built(self, *arguments, **options):
        self.assert_done(self.clones(*arguments, **options))

    def image(self, action, *arguments):
        return self.run_vprov("image", action, *arguments, "--output", self.output)

    def listed(self):
        done = self.run_vprov("image", "list", "--json", "--output", self.output)
        self.assert_done(done)
        return {guest["name"]: guest for guest in json.loads(done.stdout)}

    def manifest(self, name, output=None):
        return json.loads(((output or self.output) / name / "manifest.json").read_text())

    def pool(self):
        file = self.output / ".pool.json"
        return json.loads(file.read_text())["guests"] if file.exists() else {}

    def digest_of_base(self):
        plan = self.run_vprov("plan", self.place / "recipe.toml", "--json", "--output", self.output, "--cache-dir", self.cache)
        events = [json.loads(line) for line in plan.stdout.splitlines()]
        return next(event for event in events if event["event"] == "plan")["images"]["base"]

    def raw(self, image):
        """The image itself, or the content of an overlay."""
        if image.suffix == ".img":
            return image
        raw = self.place / f"{image.parent.name}-{image.name}.raw"
        said("qemu-img", "convert", "-O", "raw", image, raw)
        return raw

    def tree(self, image, offset=0):
        """What the kernel sees in the file system, as tree_diff reads it."""
        archive, mount = self.place / "tree.tar", self.place / "mount"
        mount.mkdir(exist_ok=True)
        script = ('mount -o "ro,noload,loop,offset=$1" "$2" "$3" && '
                  'exec tar --xattrs --acls --numeric-owner -C "$3" -cf "$4" .')
        said("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", offset, image, mount, archive)
        with tarfile.open(archive) as file:
            self.texts = {member.name.removeprefix("./"): file.extractfile(member).read() for member in file
                          if member.isfile() and member.name.startswith("./etc/")}
        return read_tar(archive)

    def assert_clean(self, image, offset=0):
        device = f"{image}?offset={offset}" if offset else image
        checked = run("e2fsck", "-fn", device)
        self.assertEqual(checked.returncode, 0, f"{checked.stdout}{checked.stderr}")
        self.assertNotIn("Fix?", checked.stdout)
        copy = self.place / "checked.img"  # as at boot, where copies of the superblock are looked at as well
        said("cp", "--sparse=always", image, copy)
        self.assertIn(": clean,", said("e2fsck", "-p", f"{copy}?offset={offset}" if offset else copy))
        copy.unlink()

    def assert_different(self, values):
        self.assertEqual(len(set(values)), len(values), values)

    # What only one machine may have; all else is the same.
    def assert_same_trees(self, expected, actual):
        differences = [str(difference) for difference in compare(expected, actual)
                       if "etc/ssh/ssh_host_" not in str(difference)]
        self.assertEqual(differences, [], "\n".join(differences))

    def contents(self):
        return {str(path.relative_to(self.output)): (path.lstat().st_mode, path.lstat().st_size)
                for path in self.output.rglob("*")}


class IdentityTest(ClonesTest):
    def test_guests_differ_in_their_identity_only(self):
        self.built()
        names = ["web01", "web02", "web03"]
        self.assertEqual(sorted(self.listed()), names)
        manifests = [self.manifest(name) for name in names]
        self.assertEqual([m["network"][0]["address"] for m in manifests],
                         [["192.0.2.2/24"], ["192.0.2.3/24"], ["192.0.2.4/24"]])  # .1 is the gateway
        self.assertEqual([m["network"][0]["mac"] for m in manifests],
                         ["02:00:00:00:00:fe", "02:00:00:00:00:ff", "02:00:00:00:01:00"])
        for key in ("uuid", "machine_id"):
            self.assert_different([m[key] for m in manifests])
        self.assert_different([disk["uuid"] for m in manifests for disk in m["disks"]])
        self.assert_different([key["fingerprint"] for m in manifests for key in m["ssh_host_keys"]])
        for name, manifest in zip(names, manifests):
            self.check_guest(name, manifest)

    def check_guest(self, name, manifest):
        image, disk = self.output / name / "root.img", manifest["disks"][0]
        self.assert_clean(image)
        self.assertEqual(said("blkid", "-p", "-o", "value", "-s", "UUID", image), disk["uuid"])
        self.assertEqual(said("blkid", "-p", "-o", "value", "-s", "UUID", image.with_name("swap.img")),
                         manifest["disks"][1]["uuid"])
        self.tree(image)
        text = {path: data.decode(errors="replace") for path, data in self.texts.items()}
        address = manifest["network"][0]["address"][0].split("/")[0]
        self.assertEqual(text["etc/hostname"], f"{name}\n")
        self.assertIn(f"{name}.example.org", text["etc/hosts"])
        self.assertIn(address, text["etc/network/interfaces"])
        self.assertIn(f"UUID={disk['uuid']}", text["etc/fstab"])
        self.assertEqual(text["etc/machine-id"], f"{manifest['machine_id']}\n")
        self.assertTrue(any(manifest["network"][0]["mac"] in data for data in text.values()))
        self.assertNotIn("unnamed-vprov-guest", "".join(text.values()))
        key = self.place / "key.pub"
        key.write_bytes(self.texts["etc/ssh/ssh_host_ed25519_key.pub"])
        self.assertIn(said("ssh-keygen", "-l", "-f", key).split()[1],
                      [known["fingerprint"] for known in manifest["ssh_host_keys"]])
        configuration = (self.output / name / f"{name}.cfg").read_text()
        self.assertIn(manifest["network"][0]["mac"], configuration)
        self.assertIn(manifest["uuid"], configuration)

    def test_clone_is_what_a_full_build_makes(self):
        full = self.place / "full"
        self.built("--set", "guests.count=1")
        self.built("--set", "guests.count=1", more=HOOK, output=full)
        self.assertNotIn("from base", (full / "web01/manifest.json").read_text())
        self.assert_same_trees(self.tree(full / "web01/root.img"), self.tree(self.output / "web01/root.img"))

    def test_partitioned_disks(self):
        for table in TABLES:
            with self.subTest(table=table):
                self.check_partitioned(table)
                shutil.rmtree(self.output)

    def check_partitioned(self, table):
        disks, full = PARTITIONED.format(table=table), self.place / f"full-{table}"
        self.built("--set", "guests.count=2", disks=disks)
        self.built("--set", "guests.count=1", disks=disks, more=HOOK, output=full)
        ids = set()
        for name in ("web01", "web02"):
            image, disk = self.output / name / "root.img", self.manifest(name)["disks"][0]
            said("sfdisk", "--verify", image)
            found = json.loads(said("sfdisk", "-J", image))["partitiontable"]
            self.assertEqual(found["id"].lower().removeprefix("0x"), disk["table_uuid"])
            ids.add(found["id"])
            for part, planned in zip(found["partitions"], disk["partitions"]):
                if table == "gpt":
                    self.assertEqual(part["uuid"].lower(), planned["partuuid"])
                self.assertEqual(said("blkid", "-p", "-O", planned["start"], "-S", planned["size"], "-o", "value", "-s",
                                      "UUID", image), planned["uuid"])
                ids.add(planned["uuid"])
            for part in disk["partitions"][:2]:
                self.assert_clean(image, part["start"])
        self.assertEqual(len(ids), 10)
        if table == "gpt":
            checked = said("sgdisk", "-v", image)
            self.assertIn("No problems found", checked)
        for part in disk["partitions"][:2]:
            self.assert_same_trees(self.tree(full / "web01/root.img", part["start"]),
                                   self.tree(self.output / "web01/root.img", part["start"]))

    def test_plan_says_how_images_are_made(self):
        recipe = self.recipe(TEXT.format(hash=HASH, disks=BARE, more=HOOK))
        plan = self.run_vprov("plan", recipe, "--output", self.output, "--cache-dir", self.cache)
        self.assertIn("no copies of a base, for the recipe's hooks run in each guest", plan.stdout, plan.stderr)
        self.assertFalse(self.output.exists())
        failed = self.clones("--set", "disk.0.overlay=true", more=HOOK)
        self.assert_failed(failed, RECIPE, "cannot make 'root' an overlay: the recipe's hooks run in each guest")


class OverlayTest(ClonesTest):
    def base(self):
        return [path for path in (self.output / ".bases").rglob("*.img")]

    def test_overlays_share_a_base(self):
        copies = self.place / "copies"
        self.built("--set", "guests.count=2", "--set", "disk.0.overlay=true")
        self.built("--set", "guests.count=1", output=copies)
        base, = self.base()
        self.assertEqual(base.stat().st_mode & 0o777, 0o444)
        for name in ("web01", "web02"):
            image = self.output / name / "root.qcow2"
            information = json.loads(said("qemu-img", "info", "--output=json", image))
            self.assertEqual(information["backing-filename-format"], "raw")
            self.assertEqual(pathlib.Path(information["full-backing-filename"]).resolve(), base.resolve())
            self.assertLess(image.stat().st_size, 40 << 20)
            said("qemu-img", "check", image)
            self.assert_clean(self.raw(image))
            self.assertIn("format=qcow2", (self.output / name / f"{name}.cfg").read_text())
        self.assert_same_trees(self.tree(copies / "web01/root.img"), self.tree(self.raw(self.output / "web01/root.qcow2")))
        self.check_life_of_base(base)

    def check_life_of_base(self, base):
        shutil.rmtree(self.cache / "layers" / self.digest_of_base())  # as pruning would
        said("qemu-img", "check", self.output / "web02/root.qcow2")
        self.assert_done(self.image("delete", "web01"))
        self.assertTrue(base.exists())
        self.assert_done(self.image("resize", "web02", "root", "600M"))
        image = self.output / "web02/root.qcow2"
        self.assertEqual(json.loads(said("qemu-img", "info", "--output=json", image))["virtual-size"], 600 << 20)
        said("qemu-img", "check", image)
        (self.place / "web02-root.qcow2.raw").unlink()
        self.assert_clean(self.raw(image))
        self.assertLess(image.stat().st_size, 60 << 20)
        self.assert_done(self.image("delete", "web02"))
        self.assertEqual(list(self.output.iterdir()), [])

    def test_overlays_of_partitioned_disks(self):
        self.built("--set", "guests.count=1", "--set", "disk.0.overlay=true", disks=PARTITIONED.format(table="gpt"))
        image, disk = self.output / "web01/root.qcow2", self.manifest("web01")["disks"][0]
        said("qemu-img", "check", image)
        raw = self.raw(image)
        self.assertEqual(json.loads(said("sfdisk", "-J", raw))["partitiontable"]["id"].lower(), disk["table_uuid"])
        for part in disk["partitions"][:2]:
            self.assert_clean(raw, part["start"])


class PoolTest(ClonesTest):
    def test_addresses_come_back(self):
        self.built()
        self.assert_done(self.image("delete", "web02"))
        self.assertEqual(sorted(self.pool()), ["web01", "web03"])
        self.built("--set", "guests.first=4", "--set", "guests.count=1")
        self.assertEqual(self.manifest("web04")["network"][0]["address"], ["192.0.2.3/24"])
        self.assertEqual(self.manifest("web04")["network"][0]["mac"], "02:00:00:00:00:ff")

    def test_pool_that_runs_out(self):
        failed = self.clones("--set", "guests.count=6")
        self.assertEqual(failed.returncode, RECIPE, failed.stderr)
        self.assertIn("cannot give 'web06' an address: all of '192.0.2.1-192.0.2.6/24' are taken", failed.stderr)
        self.assertEqual(list(self.output.iterdir()), [])

    def test_mac_of_a_manufacturer(self):
        for mac in ("00:50:56:00:00:01", "01:00:5e:00:00:01"):
            with self.subTest(mac=mac):
                self.assertEqual(self.clones("--set", f"guests.macs={mac}").returncode, RECIPE)

    def test_two_builds_at_once(self):
        recipe = self.recipe(TEXT.format(hash=HASH, disks=BARE, more=""))
        builds = [self.start_build(recipe, "--set", f"guests.first={first}", "--set", "guests.count=2")
                  for first in (1, 11)]
        for build in builds:
            _, errors = build.communicate(timeout=vprov_under_test.DEADLINE)
            self.assertEqual(build.returncode, 0, errors)
        guests = self.listed().values()
        self.assertEqual(len(guests), 4)
        self.assert_different([address for guest in guests for address in guest["addresses"]])
        self.assert_different([mac for guest in guests for mac in guest["macs"]])
        self.assertEqual({entry["address"] for entry in self.pool().values()},
                         {address for guest in guests for address in guest["addresses"]})


class ImageTest(ClonesTest):
    def test_delete_takes_what_builds_made_and_nothing_else(self):
        self.output.mkdir()
        (self.output / "notes.txt").write_text("mine\n")
        (self.output / "web09").mkdir()
        (self.output / "web09/mine").write_text("mine\n")
        before = self.contents()
        self.built()
        self.assert_done(self.image("delete", "web01", "web02", "web03"))
        self.assertEqual(self.contents(), before)

    def test_delete_leaves_what_others_put_there(self):
        self.built("--set", "guests.count=1")
        guest = self.output / "web01"
        (guest / "notes.txt").write_text("mine\n")
        (guest / "log/mine").mkdir()
        (guest / "empty").mkdir()
        done = self.image("delete", "web01")
        self.assert_done(done)
        self.assertEqual(sorted(str(path.relative_to(self.output)) for path in self.output.rglob("*")),
                         ["web01", "web01/empty", "web01/log", "web01/log/mine", "web01/notes.txt"])
        self.assertIn("left, for no build made it", done.stdout)
        self.assertEqual(self.pool(), {})
        self.built("--set", "guests.count=1")  # takes the place

    def test_delete_wants_a_guest(self):
        self.output.mkdir()
        for name in ("nobody", "..", ".", ""):
            with self.subTest(name=name):
                self.assertEqual(self.image("delete", name).returncode, DISK)
        self.assertEqual(self.image("delete").returncode, USAGE)

    def test_resize(self):
        self.built("--set", "guests.count=1")
        root, swap = self.output / "web01/root.img", self.output / "web01/swap.img"
        tree, uuid = self.tree(root), said("blkid", "-p", "-o", "value", "-s", "UUID", swap)
        self.assert_done(self.image("resize", "web01", "root", "700M"))
        self.assertEqual(root.stat().st_size, 700 << 20)
        self.assert_clean(root)
        self.assert_same_trees(tree, self.tree(root))
        self.assertEqual(self.image("resize", "web01", "root", "600M").returncode, USAGE)
        self.assert_done(self.image("resize", "web01", "root", "600M", "--force"))
        self.assert_clean(root)
        self.assertEqual(self.manifest("web01")["disks"][0]["size"], root.stat().st_size)
        before = self.contents()
        self.assertEqual(self.image("resize", "web01", "root", "40M", "--force").returncode, DISK)  # it does not fit
        self.assertEqual(self.contents(), before)
        self.assert_done(self.image("resize", "web01", "swap", "32M"))
        self.assertEqual(said("blkid", "-p", "-o", "value", "-s", "UUID", swap), uuid)
        self.assertEqual(said("blkid", "-p", "-o", "value", "-s", "LABEL", swap), "pages")
        self.assert_same_trees(tree, self.tree(root))

    def test_running_guest_is_refused(self):
        self.built("--set", "guests.count=1")
        domain = self.place / "domain.cfg"
        domain.write_text('name = "web01"\ntype = "hvm"\nmemory = 64\nvcpus = 1\n')
        self.assert_done(self.run_vprov("create", domain))
        try:
            for words in (("resize", "web01", "root", "700M"), ("delete", "web01")):
                refused = self.image(*words)
                self.assertEqual((refused.returncode, "it is running" in refused.stderr), (HYPERVISOR, True), refused.stderr)
        finally:
            self.assert_done(self.run_vprov("destroy", "web01"))
        self.assert_done(self.image("delete", "web01"))


class BaseTest(ClonesTest):
    def damage(self, image):
        with image.open("r+b") as file:
            file.seek(200 << 20)
            file.write(b"damaged")

    def test_damaged_base(self):
        self.built("--set", "guests.count=1")
        base = self.cache / "layers" / self.digest_of_base()
        self.damage(base / "root.img")
        verified = self.run_vprov("cache", "verify", "--cache-dir", self.cache)
        self.assertEqual((verified.returncode, base.exists()), (ARCHIVE, False), verified.stdout)
        self.assertIn(f"damaged, removed: layer {base}", verified.stdout)
        self.built("--set", "guests.count=1")
        self.assertEqual(self.run_vprov("cache", "verify", "--cache-dir", self.cache).returncode, 0)
        self.damage(base / "root.img")
        rebuilt = self.clones("--set", "guests.count=1")
        self.assert_done(rebuilt)
        self.assertIn("is damaged: it is made anew", rebuilt.stderr)
        self.assert_clean(self.output / "web01/root.img")
        self.assertEqual(self.run_vprov("cache", "verify", "--cache-dir", self.cache).returncode, 0)


class KillTest(ClonesTest):
    def test_killed_at_random_moments(self):
        seed = int(os.environ.get("VPROV_TEST_SEED", time.time()))
        print(f"\nVPROV_TEST_SEED={seed}")
        chance = random.Random(seed)
        recipe = self.recipe(TEXT.format(hash=HASH, disks=BARE, more=""))
        self.built("--set", "disk.0.overlay=true")
        killed, spans = 0, [3, 0.08, 1.2]
        for turn in range(6 * KILLS):
            overlay, kind = chance.choice(["true", "false"]), turn % 3
            command = [*[["build", recipe, "--cache-dir", self.cache, "--set", f"disk.0.overlay={overlay}"],
                         ["image", "delete", "web01", "web02"],
                         ["image", "resize", "web03", "root", f"{chance.randrange(500, 600)}M", "--force"]][kind],
                       "--output", self.output]
            with self.subTest(turn=turn, command=command):
                status, seconds = self.kill(command, chance.uniform(0, spans[kind]))
                self.check_agreement()
            killed += status == -signal.SIGKILL
            if status == -signal.SIGKILL:
                spans[kind] *= 1.3
            elif status == 0:
                spans[kind] = seconds  # how long it takes depends on the machine, and on what there is to do
            if killed == KILLS:
                return
        self.fail(f"{killed} of {6 * KILLS} commands were killed before their end, {KILLS} are wanted")

    def kill(self, command, seconds):
        """Its exit status, negative where it was killed, and how long it ran, in seconds."""
        begin = time.monotonic()
        process = subprocess.Popen([vprov_under_test.vprov, *map(str, command)], env=self.environment(), cwd=self.place,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        status, seconds = process.wait(), time.monotonic() - begin
        self.assert_all_ended()
        return status, seconds

    def check_agreement(self):
        guests = self.listed()
        self.assertEqual([path.name for path in self.output.iterdir() if path.name not in (".pool.json", ".bases")
                          and path.name not in guests], [])
        self.assertEqual({name: (entry["address"], entry["mac"]) for name, entry in self.pool().items()},
                         {name: (guest["addresses"][0], guest["macs"][0]) for name, guest in guests.items()})
        for name, guest in guests.items():
            self.check_files(name, guest)
        needed = {pathlib.Path(disk["backing"]).parent.name for guest in guests.values() for disk in guest["disks"]
                  if disk["backing"]}
        bases = self.output / ".bases"
        self.assertEqual({path.name for path in bases.iterdir()} if bases.exists() else set(), needed)

    def check_files(self, name, guest):
        directory, manifest = self.output / name, self.manifest(name)
        self.assertEqual(sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()),
                         sorted(manifest["files"]))
        self.assertIn(guest["macs"][0], (directory / f"{name}.cfg").read_text())
        for disk in guest["disks"]:
            information = json.loads(said("qemu-img", "info", "--output=json", directory / disk["image"]))
            self.assertEqual(information["virtual-size"], disk["size"])
            self.assertIn(disk["image"], (directory / f"{name}.cfg").read_text())


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        KILLS = 100
        TABLES.append("mbr")
    vprov_under_test.main("root", "network", "qemu-img", "e2fsck", "debugfs", "sfdisk", "sgdisk", "blkid", "losetup",
                          "mkfs.fat", "unshare", "ssh-keygen")
