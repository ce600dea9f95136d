"""The tree of a built image, and its own programs run in it: with devices, /proc, /sys, an empty /run and /tmp, and network
cards where they are asked for. All of it is in namespaces that end with the program."""

import re
import shlex
import subprocess

SECONDS = 300  # only so that a hang ends
SET_UP = """
set -e
tree=$1 cards=$2; shift 2
mount -t tmpfs -o mode=0755 none "$tree/dev"
for device in null zero full random urandom tty; do
    : > "$tree/dev/$device"
    mount --bind "/dev/$device" "$tree/dev/$device"
done
ln -s /proc/self/fd "$tree/dev/fd"
mkdir "$tree/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 none "$tree/dev/pts"
ln -s pts/ptmx "$tree/dev/ptmx"
mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=0755 none "$tree/run"
mount -t tmpfs -o mode=1777 none "$tree/tmp"
[ ! -s "$tree/etc/hostname" ] || hostname "$(cat "$tree/etc/hostname")"
ip link set lo up
number=0
for mac in $cards; do
    ip link add "card$number" type veth peer name "wire$number"
    ip link set "card$number" address "$mac"
    ip link set "wire$number" addrgenmode none up
    number=$((number + 1))
done
mount -t sysfs -o ro sysfs "$tree/sys"
exec chroot "$tree" "$@"
"""
SET_USER_ID = ["usr/bin/sudo"]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}


def extract(image, tree):
    """All but device files, which debugfs(8) 1.47 does not make."""
    tree.mkdir()
    debugfs(image, f"rdump / {tree}")
    for program in SET_USER_ID:  # debugfs gives the file away when it has its mode, and chown(2) takes the bit off it
        if (tree / program).exists():
            (tree / program).chmod(int(re.search(r"Mode:\s+(\d+)", debugfs(image, f"stat /{program}")).group(1), 8))


def debugfs(image, request):
    return subprocess.run(["debugfs", "-R", request, image], check=True, capture_output=True, text=True).stdout


def run_in(tree, *command, cards=(), stdin=""):
    """What it says on both of its outputs. `cards` are MAC addresses, of card0, card1, ..., which have a carrier."""
    apart = ["unshare", "--mount", "--propagation", "private", "--uts", "--net", "--pid", "--fork", "--kill-child"]
    run = subprocess.run([*apart, "sh", "-c", SET_UP, "sh", str(tree), " ".join(cards), *map(str, command)], input=stdin,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
                         env=ENVIRONMENT)
    return run.stdout


def why_no_cards():
    """Why this machine cannot make network cards, or None."""
    made = subprocess.run(["unshare", "--net", "ip", "link", "add", "card0", "type", "veth", "peer", "name", "wire0"],
                          capture_output=True, text=True, check=False)
    return f"no network card can be made here: {shlex.quote(made.stderr.strip())}" if made.returncode else None
