#!/usr/bin/env python3
"""What dpkg keeps of packages and what their scripts do: a tree of vprov against mmdebstrap's, from one archive.

`features_test.py VPROV CACHE`. The archive holds Debian's essential packages and, built on the spot, packages that use a
feature each: capabilities, diversions, alternatives, triggers, conffiles, several architectures, ... Both trees are then upgraded with their own
dpkg and compared again.
"""

import lzma
import pathlib
import shutil
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import vprov_under_test  # noqa: E402
from vprov_under_test import VprovTest  # noqa: E402
from make_archive import Archive, SigningKey, build_deb  # noqa: E402
from serve import ArchiveServer  # noqa: E402
from tree_checks import IGNORED, in_tree, lines_of_triggers, mmdebstrap  # noqa: E402
from tree_diff import IgnoreList, compare, read_tree  # noqa: E402

SUITE = "bookworm"
NEEDED = ["libcap2-bin", "passwd"]


def script(text):
    return f"#!/bin/sh\nset -e\n{text}\n"


# What a script is told: its arguments, directory and what dpkg says in the environment.
TELL = script('mkdir -p /var/log/told; { echo "$0 $*"; pwd; env | grep ^DPKG_ | grep -v -e FORCE -e LOCKED -e COLORS | sort; } '
              '>"/var/log/told/$DPKG_MAINTSCRIPT_PACKAGE.$DPKG_MAINTSCRIPT_ARCH.$DPKG_MAINTSCRIPT_NAME"')

FEATURES = [
    {"name": "f-caps", "fields": {"Depends": "libcap2-bin"}, "files": {"/usr/bin/f-caps": {"content": "c", "mode": 0o755}},
     "scripts": {"postinst": script("setcap cap_net_raw,cap_net_admin+ep /usr/bin/f-caps")}},
    {"name": "f-modes", "files": {"/usr/bin/f-suid": {"content": "s", "mode": 0o4755},
                                  "/usr/bin/f-sgid": {"content": "g", "mode": 0o2755, "owner": (0, 42)},
                                  "/usr/bin/f-hard": {"hardlink": "/usr/bin/f-suid"},
                                  "/var/spool/f-modes": {"directory": True, "mode": 0o1777}}},
    {"name": "f-override", "files": {"/usr/bin/f-over": {"content": "o", "mode": 0o755}},
     "scripts": {"preinst": script("dpkg-statoverride --add root mail 2711 /usr/bin/f-over"),
                 "postinst": script("mkdir /var/f-over; dpkg-statoverride --update --add daemon root 0700 /var/f-over")}},
    {"name": "f-tool", "fields": {"Multi-Arch": "foreign"},
     "files": {"/usr/bin/f-tool": {"content": "of f-tool", "mode": 0o755}}},
    {"name": "f-diverts", "fields": {"Pre-Depends": "f-tool"},
     "files": {"/usr/bin/f-tool": {"content": "of f-diverts", "mode": 0o755}, "/usr/bin/f-later": "of f-diverts"},
     "scripts": {"preinst": script("for f in f-tool f-later; do dpkg-divert --package f-diverts --quiet --add --rename "
                                   "--divert /usr/bin/$f.real /usr/bin/$f; done")}},
    {"name": "f-later", "fields": {"Pre-Depends": "f-diverts"},  # with nothing else, dpkg would let it disappear
     "files": {"/usr/bin/f-later": "of f-later", "/usr/share/f-later": "l"}},
    {"name": "f-conffiles", "files": {"/etc/f/plain": "1", "/etc/f/changed": "1", "/etc/f/dropped": "1", "/etc/f-no-conf": "n"},
     "conffiles": ["/etc/f/plain", "/etc/f/changed", "/etc/f/dropped"]},
    {"name": "f-removes", "files": {"/etc/f-removes": "r"},
     "control_files": {"conffiles": "/etc/f-removes\nremove-on-upgrade /etc/f-gone\n"}},
    {"name": "f-alternative-a", "files": {"/usr/bin/f-alt-a": {"content": "a", "mode": 0o755}, "/usr/share/f-alt-a.1": "a"},
     "scripts": {"postinst": script("update-alternatives --install /usr/bin/f-alt f-alt /usr/bin/f-alt-a 10 "
                                    "--slave /usr/share/f-alt.1 f-alt.1 /usr/share/f-alt-a.1")}},
    {"name": "f-alternative-b", "files": {"/usr/bin/f-alt-b": {"content": "b", "mode": 0o755}},
     "scripts": {"postinst": script("update-alternatives --install /usr/bin/f-alt f-alt /usr/bin/f-alt-b 50")}},
    {"name": "f-triggered", "fields": {"Multi-Arch": "foreign"}, "triggers": "interest-noawait /usr/share/f-triggers\ninterest f-explicit\ninterest-await f-awaited\n",
     "files": {"/usr/share/f-triggers/own": "o"},
     "scripts": {"postinst": script('[ "$1" = triggered ] || exit 0; mkdir -p /var/log/f-triggered; '
                                    'for t in $2; do echo x >>"/var/log/f-triggered/$(echo "$t" | tr / -)"; done')}},
    {"name": "f-activates", "fields": {"Pre-Depends": "f-triggered"}, "files": {"/usr/share/f-triggers/other": "o"},
     "triggers": "activate f-awaited\n", "scripts": {"postinst": script("dpkg-trigger --no-await f-explicit")}},
    {"name": "f-old", "files": {"/usr/share/f-moved": "old", "/usr/share/f-stays": "old"}},
    {"name": "f-new", "fields": {"Replaces": "f-old (<< 2)", "Breaks": "f-old (<< 1)"}, "files": {"/usr/share/f-moved": "new"}},
    {"name": "libf", "arch": "amd64", "fields": {"Multi-Arch": "same"}, "conffiles": ["/etc/libf"],
     "files": {"/usr/lib/x86_64-linux-gnu/libf": "l", "/usr/share/libf/shared": "s", "/usr/share/libf/link": {"link": "shared"},
               "/etc/libf": "c"},
     "triggers": "interest-noawait /usr/share/libf\nactivate-noawait ldconfig\n", "scripts": {"preinst": TELL, "postinst": TELL}},
    {"name": "f-told", "scripts": {"preinst": TELL, "postinst": TELL}, "files": {"/usr/share/f-told": "t"}},
    {"name": "f-account", "fields": {"Depends": "passwd"}, "files": {"/var/lib/f-account": {"directory": True}},
     "scripts": {"postinst": script("useradd --system --home-dir /var/lib/f-account --shell /usr/sbin/nologin f-account; "
                                    "chown f-account: /var/lib/f-account")}},
]
FOREIGN = "i386"
# libf shares files with the native one; the others are alone of their name, and need or are needed across architectures.
FOREIGN_FEATURES = [
    {"name": "libf", "fields": {"Multi-Arch": "same"}, "conffiles": ["/etc/libf"],
     "files": {"/usr/lib/i386-linux-gnu/libf": "l", "/usr/share/libf/shared": "s", "/usr/share/libf/link": {"link": "shared"},
               "/etc/libf": "c"},
     "triggers": "interest-noawait /usr/share/libf\nactivate-noawait ldconfig\n", "scripts": {"preinst": TELL, "postinst": TELL}},
    {"name": "f-foreign", "fields": {"Pre-Depends": "libf, f-tool", "Depends": "f-triggered"},
     "files": {"/usr/bin/f-foreign": {"content": "f", "mode": 0o755}, "/usr/share/f-triggers/foreign": "f", "/etc/f-foreign": "c"},
     "conffiles": ["/etc/f-foreign"], "triggers": "interest /usr/share/f-foreign\n",
     "scripts": {"preinst": TELL, "postinst": script("update-alternatives --install /usr/bin/f-alt f-alt /usr/bin/f-foreign 5")}},
]
for feature in FEATURES:
    feature["version"] = "1"
for feature in FOREIGN_FEATURES:
    feature.update({"version": "1", "arch": FOREIGN})

UPGRADES = [
    {"name": "f-conffiles", "version": "2", "files": {"/etc/f/plain": "2", "/etc/f/changed": "2"},
     "conffiles": ["/etc/f/plain", "/etc/f/changed"]},
    {"name": "f-removes", "version": "2", "files": {"/usr/share/f-removes": "r"},
     "control_files": {"conffiles": "remove-on-upgrade /etc/f-removes\n"}},
    {"name": "f-tool", "version": "2", "files": {"/usr/bin/f-tool": {"content": "of f-tool 2", "mode": 0o755}}},
    {"name": "f-override", "version": "2", "files": {"/usr/bin/f-over": {"content": "o2", "mode": 0o755}}},
    *({"name": "libf", "version": "2", "arch": architecture, "fields": {"Multi-Arch": "same"}, "files": {"/etc/libf": "c2"},
       "conffiles": ["/etc/libf"], "scripts": {"preinst": TELL, "postinst": TELL}} for architecture in ("amd64", FOREIGN)),
]


# apt is not in these trees; mmdebstrap's is the host's, and makes itself at home in them.
OF_THE_HOSTS_APT = ("etc/apt", "var/cache/apt", "var/lib/apt", "var/log/apt")


def stanzas_of_mirror(mirror):
    with urllib.request.urlopen(f"{mirror}/dists/{SUITE}/main/binary-amd64/Packages.xz", timeout=120) as stream:
        return lzma.decompress(stream.read()).decode().split("\n\n")


class FeaturesTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        cls.maker = cls("make_trees")
        cls.maker.setUp()
        cls.addClassCleanup(cls.maker.doCleanups)
        cls.maker.make_trees()

    def make_trees(self):
        mirror = vprov_under_test.host_mirror()
        key = SigningKey()
        self.addCleanup(key.close)
        keyring = self.place / "archive.gpg"  # where apt's own user can read it
        shutil.copyfile(key.keyring, keyring)
        server = ArchiveServer(self.make_archive(mirror, key).directory)
        server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        self.ours, self.theirs = self.place / "ours", self.place / "theirs"
        included = ",".join([*NEEDED, *(feature["name"] for feature in FEATURES),
                             *(f"{feature['name']}:{FOREIGN}" for feature in FOREIGN_FEATURES)])
        self.assert_done(self.run_vprov("bootstrap", "--variant=essential", f"--architectures=amd64,{FOREIGN}",
                                        f"--include={included}", "--no-updates", "--no-layers", f"--keyring={keyring}", "--cache-dir", self.cache, SUITE, self.ours, server.url))
        mmdebstrap(SUITE, self.theirs, f"deb [signed-by={keyring}] {server.url} {SUITE} main", "essential",
                   included.split(","), ("amd64", FOREIGN))
        self.read = read_tree(self.ours), read_tree(self.theirs)

    def make_archive(self, mirror, key):
        """Debian's packages for this variant, and the features."""
        plain = self.place / "plain"
        self.assert_done(self.run_vprov("bootstrap", "--variant=essential", f"--include={','.join(NEEDED)},usr-is-merged", "--no-updates",
                                        "--cache-dir", self.cache, SUITE, plain, mirror))
        wanted = set(in_tree(plain, "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n").stdout.splitlines())
        archive = Archive(self.place / "archive", key, suite=SUITE, foreign=(FOREIGN,))
        for text in stanzas_of_mirror(mirror):
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and line[0] != " ")
            if text and f"{fields['Package']} {fields['Version']}" in wanted:
                archive.stanzas.append(text)
                target = archive.directory / fields["Filename"]
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.cache / "sha256" / fields["SHA256"][:2] / fields["SHA256"], target)
        self.assertEqual(len(archive.stanzas), len(wanted))
        for feature in (*FEATURES, *FOREIGN_FEATURES):
            archive.add(feature)
        archive.write()
        return archive

    def trees(self):
        return self.maker.ours, self.maker.theirs

    def assert_same(self, ours, theirs):
        ignored = IgnoreList(IGNORED)
        differences = [str(difference) for difference in compare(theirs, ours)
                       if not ignored.excuses(difference) and not difference.path.startswith(OF_THE_HOSTS_APT)]
        self.assertEqual(differences, [], "\n".join(differences))

    def test_1_entries(self):
        self.assert_same(*self.maker.read)
        ours, theirs = self.trees()
        self.assertEqual(lines_of_triggers(ours), lines_of_triggers(theirs))

    def test_2_features_took_place(self):
        """That the packages do what they are made for: were they the same by doing nothing, nothing would be compared."""
        tree, _ = self.trees()
        entries, _ = self.maker.read
        text = {path: (tree / path).read_text() for path in (
            "var/lib/dpkg/diversions", "var/lib/dpkg/statoverride", "usr/bin/f-tool", "usr/bin/f-tool.real",
            "usr/bin/f-later", "usr/bin/f-later.real", "var/lib/dpkg/info/f-old.list", "var/log/told/libf.amd64.preinst",
            "var/log/told/libf.i386.preinst", "var/lib/dpkg/arch", "var/lib/dpkg/info/libf:i386.list", "var/lib/dpkg/info/f-foreign.list")}
        self.assertIn("security.capability", entries["usr/bin/f-caps"]["attributes"])
        self.assertEqual((entries["usr/bin/f-suid"]["mode"], entries["usr/bin/f-suid"]["names"]),
                         ("4755", "usr/bin/f-hard usr/bin/f-suid"))
        self.assertEqual((entries["var/f-over"]["mode"], entries["var/f-over"]["owner"]), ("0700", "1:0"))
        self.assertEqual(sorted(path.name for path in (tree / "var/log/f-triggered").iterdir()),
                         ["-usr-share-f-triggers", "f-awaited", "f-explicit"])
        self.assertEqual([text[f"usr/bin/{name}"] for name in ("f-tool", "f-tool.real", "f-later", "f-later.real")],
                         ["of f-diverts", "of f-tool", "of f-diverts", "of f-later"])
        self.assertEqual(entries["etc/alternatives/f-alt"]["target"], "/usr/bin/f-alt-b")
        self.assertEqual(text["var/lib/dpkg/info/f-old.list"], "/.\n/usr\n/usr/share\n/usr/share/f-stays\n")
        self.assertIn("DPKG_MAINTSCRIPT_ARCH=amd64\n", text["var/log/told/libf.amd64.preinst"])
        self.assertIn("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1\n", text["var/log/told/libf.i386.preinst"])
        self.assertIn("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=2\n", text["var/log/told/libf.amd64.preinst"])
        self.assertEqual(text["var/lib/dpkg/arch"], f"amd64\n{FOREIGN}\n")
        for name in ("libf:i386", "f-foreign"):
            self.assertIn(f"/etc/{name.removesuffix(':i386')}\n", text[f"var/lib/dpkg/info/{name}.list"])

    def test_3_dpkg_is_content(self):
        ours, _ = self.trees()
        for command in (["dpkg", "--audit"], ["dpkg", "--verify"]):
            run = in_tree(ours, *command)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_4_upgrades(self):
        """With conffiles that the administrator changed, took away, or that are not shipped any more."""
        for tree in self.trees():
            (tree / "etc/f/changed").write_text("by the administrator")
            (tree / "debs").mkdir()
            for package in UPGRADES:
                build_deb(package, tree / "debs" / f"{package['name']}-{package.get('arch', 'all')}.deb")
            run = in_tree(tree, "sh", "-c", "dpkg --force-confold --log=/dev/null --install /debs/*.deb && dpkg --purge f-diverts "
                          "f-later && rm -r /debs /var/log/dpkg.log /var/cache/ldconfig/aux-cache")
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        ours, theirs = self.trees()
        self.assertIn(" /etc/f/dropped c4ca4238a0b923820dcc509a6f75849b obsolete\n",
                      (ours / "var/lib/dpkg/status").read_text())
        self.assert_same(read_tree(ours), read_tree(theirs))


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "mmdebstrap", "unshare")
