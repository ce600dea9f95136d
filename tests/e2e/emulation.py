"""A namespace in which another architecture's programs run, or do not: with a binfmt_misc of its own, which is empty but
for what is registered there. What the machine has registered plays no part, and nothing is registered outside."""

import os
import pathlib
import re
import subprocess
import time

FIRST_LINUX = (6, 7)  # with a binfmt_misc in each user namespace
MACHINES = {"arm64": "aarch64", "riscv64": "riscv64"}  # Debian's names, and QEMU's
ENTER = 'read mapped && exec setpriv --reuid=0 --regid=0 --clear-groups "$@"'
REGISTER = ('mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 99; '
            'if [ -n "$1" ]; then printf %s "$1" > /proc/sys/fs/binfmt_misc/register || exit 99; fi; shift; exec "$@"')


def program_of(architecture):
    return f"qemu-{MACHINES[architecture]}-static"


def definition(architecture, flags="OPF"):
    """As binfmt_misc takes it, with other flags than those of the package qemu-user-static."""
    line = pathlib.Path(f"/usr/lib/binfmt.d/qemu-{MACHINES[architecture]}.conf").read_text().strip()
    return f"{line.rpartition(':')[0]}:{flags}"


def why_not_here(*architectures):
    version = tuple(int(number) for number in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
    if version < FIRST_LINUX:
        return f"Linux {os.uname().release} has no binfmt_misc for user namespaces (6.7 has)"
    if os.uname().machine != "x86_64":
        return "this machine is no amd64"
    for architecture in architectures:
        if not os.path.exists(f"/usr/lib/binfmt.d/qemu-{MACHINES[architecture]}.conf"):
            return f"qemu-user-static has no definition for {architecture} here"
    probe = run_in_namespace("", ["true"])
    return f"no namespace with a binfmt_misc can be made: {probe.stderr}" if probe.returncode else None


def run_in_namespace(registered, command, timeout=None, **options):
    """As root of a user namespace that has all ids. Only its parent may map them all, and unshare(1) maps ranges of
    /etc/subuid only."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    process = subprocess.Popen(["unshare", "--user", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh",
                                "sh", "-c", REGISTER, "sh", registered, *map(str, command)], text=True,
                               stdin=subprocess.PIPE, **pipes)
    ours = os.readlink("/proc/self/ns/user")
    while process.poll() is None and os.readlink(f"/proc/{process.pid}/ns/user") == ours:
        time.sleep(0.01)
    for kind in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{process.pid}/{kind}").write_text("0 0 4294967295\n")
    output, errors = process.communicate("mapped\n", timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)
