#!/usr/bin/env python3
"""Who a guest is: network, accounts, keys, and what the recipe adds, judged by the tools that will read it in the guest.

The guests are made in the ways there are: in a tree, whose layer serves a second guest, and in copies of a base's image.
"""

import json
import pathlib
import re
import stat
import subprocess

import vprov_under_test
from guest_tree import extract, run_in, why_no_cards
from identity_recipe import POSTINST, RECIPE_TEXT, TEMPLATES
from vprov_under_test import RECIPE, SCRIPT, VprovTest

# What udev names the cards, and what the network then is, as `ip` says it.
NAME_CARDS = """
for card in card0 card1; do
    name=$(udevadm test-builtin net_setup_link /sys/class/net/$card 2>/dev/null | sed -n s/^ID_NET_NAME=//p)
    ip link set $card name "$name" || exit
done
"""
SHOW_NETWORK = "echo; ip -j address; ip -j route; ip -j -6 route"
IFUP = "mkdir /run/network; ifup wan lan1"
NETWORKD = """
install -d -o systemd-network -g systemd-network /run/systemd/netif
/lib/systemd/systemd-networkd > /run/networkd.log 2>&1 &
tries=0
until ip -o address show dev wan | grep 'inet6 fe80' | grep -qv tentative || [ $tries = 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
cat /run/networkd.log
"""
CARDS = ["00:16:3e:00:00:01", "00:16:3e:00:00:02"]
SSHD_TEST = "mkdir /run/sshd && /usr/sbin/sshd -t"
LOG_IN = """
umask 077 && cat > /tmp/key && printf 'id1 %s\\n' "$(cat /etc/ssh/ssh_host_ed25519_key.pub)" > /tmp/known &&
mkdir /run/sshd && /usr/sbin/sshd &&
ssh -i /tmp/key -o BatchMode=yes -o UserKnownHostsFile=/tmp/known -o HostKeyAlias=id1 joe@127.0.0.1 'id -un; pwd; sudo -n id -un'
"""
# Such cards have no permanent address, by which netplan knows those of machines, and netplan 0.106 has no other key.
GENERATE = "netplan generate && sed -i s/PermanentMACAddress/MACAddress/ /run/systemd/network/*"


def network_of(said):
    """Name to global addresses, MTU, and the routers, from the end of what SHOW_NETWORK says."""
    links, *routes = (json.loads(line) for line in said.splitlines()[-3:])
    found = {link["ifname"]: ([f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"]
                               if one["scope"] == "global"], link["mtu"])
             for link in links if not link["ifname"].startswith(("lo", "wire"))}
    return found, [(route["gateway"], route["dev"]) for family in routes for route in family if route["dst"] == "default"]


class IdentityTest(VprovTest):
    @classmethod
    def setUpClass(cls):
        cls.maker = cls("make")
        cls.maker.setUp()
        cls.addClassCleanup(cls.maker.doCleanups)
        cls.maker.make()

    def make(self):
        place = self.place
        package = place / "package"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN/control").write_text(
            "Package: local-tool\nVersion: 1.5-1\nArchitecture: all\nMaintainer: T <t@example.org>\n"
            "Depends: debconf, netbase\nDescription: a tool\n")
        (package / "DEBIAN/postinst").write_text(POSTINST)
        (package / "DEBIAN/postinst").chmod(0o755)
        (package / "DEBIAN/templates").write_text(TEMPLATES)
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", package, place], check=True, capture_output=True)
        (place / "tree/sub").mkdir(parents=True)
        (place / "tree/sub/run").write_text("#!/bin/sh\n")
        (place / "tree/sub/run").chmod(0o750)
        (place / "tree/link").symlink_to("sub/run")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "joe", "-f", place / "key"], check=True)
        self.key = (place / "key.pub").read_text()
        (place / "joe.pub").write_text(f"# mine\n{self.key}")
        (place / "last.sh").write_text("#!/bin/bash\necho $VPROV_FQDN; whoami; dpkg --audit; touch /tmp/left\n")
        self.text = RECIPE_TEXT.replace("@MIRROR@", vprov_under_test.host_mirror())
        self.recipe(self.text)
        self.trees, self.runs = {}, {}
        self.build_tree("ifupdown")
        self.build_tree("template", "--set", "identity.template=true", "--set", "system.fstab=label", "--set",
                        'disk=[{ size = "1G", filesystem = "ext4", mount = "/", label = "system" }]')
        clone = ["--set", "hook=[]", "--set", "file=[]", "--set", "directory=[]"]
        self.build_tree("netplan", *clone, "--set", "identity.network_renderer=netplan", "--set", "system.fstab=device")
        self.build_tree("networkd", *clone, "--set", "identity.network_renderer=networkd")

    def build_tree(self, name, *arguments):
        run = self.run_vprov("build", "recipe.toml", "--output", self.output / name, "--cache-dir", self.cache, "-v",
                             *arguments)
        self.assert_done(run)
        self.runs[name] = run.stdout + run.stderr
        self.trees[name] = tree = self.place / f"{name}.tree"
        extract(self.output / name / "id1/root.img", tree)

    def setUp(self):
        super().setUp()
        if self is not self.maker:
            self.tree = self.maker.trees["ifupdown"]
            self.built = self.maker.output / "ifupdown/id1"

    def read(self, path):
        return (self.tree / path).read_text()

    def owner(self, path):
        status = (self.tree / path).lstat()
        return f"{stat.S_IMODE(status.st_mode):o} {status.st_uid}:{status.st_gid}"

    def test_dpkg_is_content(self):
        self.assertEqual(run_in(self.tree, "dpkg", "--audit"), "")
        self.assertEqual(run_in(self.tree, "dpkg-query", "-W", "local-tool"), "local-tool\t1.5-1\n")
        self.assertIn("0 to remove", run_in(self.tree, "apt-get", "--simulate", "autoremove"))

    def test_they_are_made_in_these_ways(self):
        self.assertIn(", from layer ", self.maker.runs["template"])
        self.assertIn(", from base ", self.maker.runs["networkd"])
        for name in self.maker.trees:
            subprocess.run(["e2fsck", "-fn", self.maker.output / name / "id1/root.img"], check=True, capture_output=True)

    def test_debconf_answers_came_before_the_package(self):
        self.assertEqual(self.read("etc/local-tool.colour"), "green\nlarge\n")

    def test_ifupdown_reads_it(self):
        self.assertEqual(run_in(self.tree, "ifquery", "--list", "--allow", "hotplug").split(), ["wan", "lan1", "lan1.10"])
        self.assertEqual(run_in(self.tree, "ifquery", "wan"),
                         "address: 192.0.2.10\ngateway: 192.0.2.1\nmtu: 1400\nbroadcast: 192.0.2.255\n"
                         "netmask: 255.255.255.0\naddress: 2001:db8::10\ngateway: 2001:db8::1\naccept_ra: 0\n"
                         "autoconf: 0\npreferred-lifetime: \ndad-attempts: 60\ndad-interval: 0.1\nnetmask: 64\n")
        commands = run_in(self.tree, "ifup", "--no-act", "--force", "--verbose", "lan1.10")
        self.assertIn("ip link add link lan1 name lan1.10 type vlan id 10", commands)
        self.assertIn("ip addr add 198.51.100.5/255.255.255.0", commands)
        self.assertIn("ip -6 addr add 2001:db8:a::5/64", commands)

    def check_network(self, tree, *commands):
        """Cards of a machine of its own, named and set up by the guest's programs; returns what these said."""
        if reason := why_no_cards():
            self.skipTest(reason)
        said = run_in(tree, "sh", "-c", "\n".join([*commands, NAME_CARDS, *self.starting, SHOW_NETWORK]), cards=CARDS)
        addresses, routes = network_of(said)
        self.assertEqual(addresses, {"wan": (["192.0.2.10/24", "2001:db8::10/64"], 1400), "lan1": ([], 1500)}, said)
        self.assertEqual(routes, [("192.0.2.1", "wan"), ("2001:db8::1", "wan")], said)
        return said

    def test_ifupdown_sets_it_up(self):
        self.starting = [IFUP]
        self.check_network(self.tree)

    def test_networkd_sets_it_up(self):
        self.starting = [NETWORKD]
        said = self.check_network(self.maker.trees["networkd"])
        self.assertIn("wan: Configuring with /etc/systemd/network/10-wan.network.\n", said)
        self.assertNotRegex(said, r"(?i)/etc/systemd/network/.*(unknown|invalid|fail|ignor)")

    def test_netplan_reads_it(self):
        tree = self.maker.trees["netplan"]
        self.assertEqual(run_in(tree, "netplan", "generate"), "")
        self.assertEqual(run_in(tree, "netplan", "get", "ethernets.wan.match.macaddress"), '"00:16:3e:00:00:01"\n')
        said = run_in(tree, "sh", "-c", "netplan generate; cd /run/systemd/network; tail -n +1 *")
        made = dict(re.findall(r"==> 10-netplan-(\S+) <==\n(.*?\n)(?=\n==>|\Z)", said, re.DOTALL))
        self.assertEqual(sorted(made), ["lan1.10.netdev", "lan1.10.network", "lan1.link", "lan1.network", "wan.link",
                                        "wan.network"], said)
        for line in ("Address=192.0.2.10/24", "Address=2001:db8::10/64", "Gateway=192.0.2.1", "Gateway=2001:db8::1",
                     "DNS=192.0.2.53", "Domains=example.org example.net", "IPv6AcceptRA=no", "MTUBytes=1400"):
            self.assertIn(f"{line}\n", made["wan.network"])
        self.assertIn("VLAN=lan1.10\n", made["lan1.network"])
        self.assertIn("Id=10\n", made["lan1.10.netdev"])

    def test_netplan_sets_it_up(self):
        self.starting = [NETWORKD]
        said = self.check_network(self.maker.trees["netplan"], GENERATE)
        self.assertIn("wan: Configuring with /run/systemd/network/10-netplan-wan.network.\n", said)
        self.assertNotRegex(said, r"(?i)/run/systemd/network/.*(unknown|invalid|fail|ignor)")

    def test_networkd_is_enabled_as_systemctl_would(self):
        tree = self.maker.trees["networkd"]
        self.assertEqual(run_in(tree, "systemctl", "is-enabled", "systemd-networkd.service"), "enabled\n")
        before = sorted(str(path) for path in (tree / "etc/systemd").rglob("*"))
        run_in(tree, "systemctl", "enable", "systemd-networkd.service")
        self.assertEqual(sorted(str(path) for path in (tree / "etc/systemd").rglob("*")), before)
        self.assertEqual((tree / "etc/resolv.conf").readlink(), pathlib.Path("../run/systemd/resolve/stub-resolv.conf"))

    def test_names_and_places(self):
        self.assertEqual(self.read("etc/hosts").splitlines()[1:3],
                         ["192.0.2.10\tid1.example.org\tid1", "2001:db8::10\tid1.example.org\tid1"])
        self.assertEqual(self.read("etc/timezone"), "Europe/Berlin\n")
        self.assertEqual(run_in(self.tree, "date", "-d", "@1700000000", "+%H:%M %Z"), "23:13 CET\n")
        self.assertEqual(run_in(self.tree, "locale", "-a").split(), ["C", "C.utf8", "POSIX", "de_DE.utf8", "en_US.utf8"])
        self.assertEqual(run_in(self.tree, "sh", "-c", ". /etc/default/locale; LANG=$LANG LC_ALL= locale date_fmt"),
                         "%a %-d. %b %H:%M:%S %Z %Y\n")
        self.assertEqual(run_in(self.tree, "sh", "-c", ". /etc/default/keyboard; echo $XKBMODEL $XKBLAYOUT $XKBVARIANT"),
                         "pc105 de nodeadkeys\n")
        self.assertRegex(self.read("etc/machine-id"), r"^[0-9a-f]{32}\n$")

    def each(self):
        """The guest of a tree, and the one of a base's copy."""
        for name in ("ifupdown", "networkd"):
            self.tree, self.built = self.maker.trees[name], self.maker.output / name / "id1"
            with self.subTest(name):
                yield self.tree

    def test_accounts(self):
        for tree in self.each():
            self.assertEqual(run_in(tree, "id", "joe"),
                             "uid=1234(joe) gid=1235(joe) groups=1235(joe),4(adm),27(sudo),100(users)\n")
            self.assertEqual(run_in(tree, "getent", "passwd", "joe"), "joe:x:1234:1235:,,,:/srv/joe:/bin/sh\n")
            self.assertEqual(run_in(tree, "getent", "passwd", "eve"),
                             "eve:x:1000:1000:Eve Example,,,:/home/eve:/bin/bash\n")
            self.assertEqual(self.read("srv/joe/.ssh/authorized_keys"), self.maker.key)
            self.assertEqual(self.owner("srv/joe/.ssh/authorized_keys"), "600 1234:1235")
            states = [run_in(tree, "passwd", "-S", name).split()[:2] for name in ("root", "joe", "eve")]
            self.assertEqual(states, [["root", "P"], ["joe", "L"], ["eve", "P"]])
            for check in ("pwck", "grpck"):
                self.assertNotRegex(run_in(tree, check, "-r"), r"joe|eve|shadow")

    def test_sudo(self):
        for tree in self.each():
            self.assertNotRegex(run_in(tree, "visudo", "-c"), r"(?m):(?! parsed OK$)")
            self.assertIn("(ALL : ALL) NOPASSWD: ALL", run_in(tree, "sudo", "-l", "-U", "joe"))
            self.assertIn("(ALL : ALL) ALL", run_in(tree, "sudo", "-l", "-U", "eve"))
            asked = ["su", "eve", "-c", "sudo -S -p '' id -un"]
            self.assertEqual(run_in(tree, *asked, stdin=f"{self.passwords()['eve']}\n"), "root\n")
            self.assertNotIn("root", run_in(tree, *asked, stdin="another\n"))

    def passwords(self):
        return dict(line.split(": ") for line in (self.built / "passwords").read_text().splitlines())

    def test_ssh_lets_in_by_the_authorized_key(self):
        key = (self.maker.place / "key").read_text()
        for tree in self.each():
            self.assertEqual(run_in(tree, "sh", "-c", LOG_IN, stdin=key), "joe\n/srv/joe\nroot\n")

    def test_file_systems_are_named_as_asked(self):
        self.assertEqual(self.root_in_fstab("ifupdown"), "UUID=" + self.blkid("ifupdown", "UUID"))
        self.assertEqual(self.root_in_fstab("netplan"), "/dev/xvda1")
        self.assertEqual(self.root_in_fstab("networkd"), "UUID=" + self.blkid("networkd", "UUID"))
        self.assertEqual(self.root_in_fstab("template"), "LABEL=system")
        self.assertEqual(self.blkid("template", "LABEL"), "system")

    def blkid(self, name, tag):
        image = self.maker.output / name / "id1/root.img"
        return subprocess.run(["blkid", "-p", "-s", tag, "-o", "value", image], capture_output=True, text=True,
                              check=True).stdout.strip()

    def root_in_fstab(self, name):
        """As the guest's libmount reads it."""
        return run_in(self.maker.trees[name], "findmnt", "--fstab", "--noheadings", "--output", "SOURCE", "/").strip()

    def test_files_and_directories(self):
        self.assertEqual(self.owner("etc/local.conf"), "640 0:4")
        self.assertEqual(self.owner("srv/copied/sub/run"), "750 1234:1235")
        self.assertEqual((self.tree / "srv/copied/link").readlink(), pathlib.Path("sub/run"))
        self.assertEqual(list((self.tree / "tmp").iterdir()), [])
        self.assertEqual(list((self.tree / "var/tmp").iterdir()), [])

    def test_hooks(self):
        self.assertEqual((self.built / "log/hook-first.log").read_text(),
                         "early\ndpkg-query: no packages found matching local-tool\nVPROV_ARCH=amd64\n"
                         "VPROV_DISTRIBUTION=debian\nVPROV_STAGE=essential\nVPROV_SUITE=bookworm\n")
        self.assertEqual((self.built / "log/hook-last.log").read_text(), "id1.example.org\nroot\n")

    def test_host_keys(self):
        lists = []
        for name in ("ifupdown", "netplan"):
            manifest = json.loads((self.maker.output / name / "id1/manifest.json").read_text())
            ours = {key["fingerprint"] for key in manifest["ssh_host_keys"]}
            theirs = {run_in(self.maker.trees[name], "ssh-keygen", "-l", "-f", f"/etc/ssh/{key.name}").split()[1]
                      for key in (self.maker.trees[name] / "etc/ssh").glob("ssh_host_*_key")}
            self.assertEqual(len(ours), 3)
            self.assertEqual(ours, theirs)
            lists.append(ours)
            self.assertEqual(run_in(self.maker.trees[name], "sh", "-c", SSHD_TEST), "")
        self.assertEqual(lists[0] & lists[1], set())

    def test_template(self):
        tree = self.maker.trees["template"]
        self.assertEqual(list((tree / "etc/ssh").glob("ssh_host_*")), [])
        self.assertEqual((tree / "etc/machine-id").read_bytes(), b"")
        self.assertEqual((tree / "etc/hostname").read_bytes(), b"")
        self.assertEqual(run_in(tree, "systemd-analyze", "verify", "vprov-first-boot.service"), "")
        self.assertEqual(run_in(tree, "systemctl", "is-enabled", "vprov-first-boot.service"), "enabled\n")
        self.assertEqual(run_in(tree, "sh", "-c", SSHD_TEST), "sshd: no hostkeys available -- exiting.\n")
        run_in(tree, "/usr/lib/vprov/first-boot")
        self.assertEqual(run_in(tree, "sh", "-c", SSHD_TEST), "")
        self.assertFalse((tree / "var/lib/vprov").exists())

    def test_passwords_are_nowhere(self):
        for tree in self.each():
            self.assertEqual(stat.S_IMODE((self.built / "passwords").stat().st_mode), 0o600)
            self.assertEqual(list(self.passwords()), ["root", "eve"])
            for password in self.passwords().values():
                self.assertEqual([run for run in self.maker.runs.values() if password in run], [])
                self.assertEqual(self.files_with(password, self.built), [self.built / "passwords"])
                self.assertEqual(self.files_with(password, tree), [])
            for name in ("root", "eve"):
                self.assertRegex(self.read("etc/shadow"), rf"(?m)^{name}:\$y\$")

    @staticmethod
    def files_with(text, folder):
        found = subprocess.run(["grep", "-rlF", text, folder], capture_output=True, text=True, check=False).stdout
        return [pathlib.Path(line) for line in found.splitlines()]

    def test_a_hook_that_fails(self):
        for name in ("last.sh", "joe.pub", "local-tool_1.5-1_all.deb"):
            (self.place / name).write_bytes((self.maker.place / name).read_bytes())
        (self.place / "tree").mkdir()
        recipe = self.recipe(self.maker.text + "[[hook]]\nname = \"bad\"\nscript = \"echo so far\\nfalse\\necho on\\n\"\n")
        self.assert_failed(self.build(recipe, "--quiet"), SCRIPT,
                           "cannot run the hook 'bad': it ended with exit status 1; it said:\n  so far\n")

    def test_a_zone_that_is_none(self):
        run = self.run_vprov("build", self.maker.place / "recipe.toml", "--output", self.output, "--cache-dir", self.cache,
                             "--quiet", "--set", "identity.timezone=Europe/Berlim")
        self.assert_failed(run, RECIPE, "did you mean 'Europe/Berlin'?")

    def test_lock_has_the_local_package(self):
        for name in ("last.sh", "joe.pub", "local-tool_1.5-1_all.deb"):
            (self.place / name).write_bytes((self.maker.place / name).read_bytes())
        (self.place / "tree").mkdir()
        recipe = self.recipe(self.maker.text)
        self.assert_done(self.run_vprov("lock", recipe, "--cache-dir", self.cache))
        self.assertRegex((self.place / "recipe.lock").read_text(),
                         r'\ndebs = \["local-tool_1.5-1_all.deb local-tool 1.5-1 [0-9a-f]{64}"\]\n')
        self.assert_done(self.build(recipe, "--locked", "--quiet"))
        subprocess.run(["dpkg-deb", "--build", "-Zgzip", "--root-owner-group", self.maker.place / "package", self.place],
                       check=True, capture_output=True)
        run = self.build(recipe, "--locked", "--quiet")
        self.assertIn("the list of local packages has 'local-tool_1.5-1_all.deb", run.stderr)
        self.assertEqual(run.returncode, vprov_under_test.PACKAGES)


if __name__ == "__main__":
    vprov_under_test.main("root", "network", "debugfs", "e2fsck", "chroot", "dpkg-deb", "ip", "ssh-keygen", "unshare")
