"""What trees are asked when they are compared: by dpkg, apt and initramfs-tools of the tree itself."""

import pathlib
import subprocess

IGNORED = pathlib.Path(__file__).resolve().parent / "tree-ignore.txt"
NODES = ["console", "full", "null", "ptmx", "random", "tty", "urandom", "zero"]  # of /dev
MERGED_USR = "/usr/share/mmdebstrap/hooks/maybe-merged-usr"


def mmdebstrap(suite, tree, mirror, variant="minbase", packages=(), architectures=(), emulated=False):
    """The tree to compare with; raises CalledProcessError. Its scripts see the host name that those of vprov see. All that
    is mounted and started ends with it: as root, mmdebstrap would mount the host's /dev/shm and /sys where others see it."""
    apart = ["unshare", "--mount", "--propagation", "private", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", 'hostname localhost && exec "$@"', "sh"]
    subprocess.run([*apart, "mmdebstrap", "--quiet", f"--variant={variant}", f"--hook-dir={MERGED_USR}",
                    *([f"--architectures={','.join(architectures)}"] if architectures else []),
                    *(["--skip=check/qemu"] if emulated else []),
                    *([f"--include={','.join(packages)}"] if packages else []), suite, str(tree), mirror],
                   capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)


def in_tree(tree, *command):
    """In a mount namespace of its own, where /proc, which some of the programs want, is seen by nobody else. In a user
    namespace that has no processes of its own it is that of outside."""
    script = '{ mount -t proc proc "$1/proc" 2>/dev/null || mount --rbind /proc "$1/proc"; } && shift && exec chroot "$@"'
    return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", tree, tree, *command],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
                               "DEBIAN_FRONTEND": "noninteractive"})


def packages_in(tree):
    listed = in_tree(tree, "dpkg-query", "--show", "--showformat", "${Package}=${Version}\n")
    return sorted(listed.stdout.split())


def automatic_in(tree):
    return set(in_tree(tree, "apt-mark", "showauto").stdout.split())


def lines_of_triggers(tree):
    """dpkg keeps them in the order of the work."""
    return sorted((tree / "var/lib/dpkg/triggers/File").read_text().splitlines())


def members_of_initrd(tree, name):
    """Kinds, owners, sizes and names: the times that cpio records differ with every run."""
    listed = in_tree(tree, "lsinitramfs", "-l", f"/boot/{name}").stdout
    lines = [line.split() for line in listed.splitlines()]
    return sorted(" ".join(words[:1] + words[2:4] + ([] if words[0][0] == "d" else words[4:5]) + words[8:])
                  for words in lines if len(words) > 8)
