#!/usr/bin/env python3
"""Compares the resolver with apt: the same Packages files, the same requests, package for package, version for version.

usage: oracle_test.py --tool RESOLVE_TOOL [--random N] [--only-random] [--seed S] [--suite SUITE]...

The mirror is the one that this machine's apt uses. apt runs in a private directory with an empty dpkg status. Where the
checkout has ../shared/oracles/apt-set beside it, the standard sets are also compared with what that says.
Exits with 77 (skipped) where there is no apt, or no mirror in its sources.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import zlib

VARIANTS = ("essential", "minbase", "standard", "buildd")
LARGE = {
    "bookworm": (
        "task-xfce-desktop",
        "nginx php-fpm mariadb-server",
        "default-jre-headless",
        "postfix",
        "build-essential git",
        "xen-system-amd64",
        "libreoffice-writer",
        "--recommends openssh-server",
        "--exclude exim4-daemon-light bsd-mailx",
        "--exclude systemd-sysv init",
        "default-mta sendmail-bin",
        # a choice that contradicts a wish, and what it brought along
        "--recommends spamassassin systemctl openbsd-inetd aide",
        # repairs among packages of equal score
        "--recommends xfce4 libpam-elogind",
        "no-such-package",
    ),
    "trixie": ("task-xfce-desktop", "postfix", "--recommends openssh-server", "xen-system-amd64"),
}
# With backports among the sources.
FORMS = (
    "systemd/bookworm-backports",
    "curl=7.88*",
    "curl/bookworm-backports",
    "nginx systemd-",
    "nginx libssl3-",
    "git/bookworm-backports curl=0",
)
DEBIAN1 = "--variant standard openssh-server locales linux-image-cloud-amd64"
KEYRING = os.environ.get("VPROV_KEYRING", "/usr/share/keyrings/debian-archive-keyring.gpg")


class Request:
    def __init__(self, line):
        self.line, self.variant, self.recommends, self.exclude, self.names = line, "minbase", False, [], []
        words = iter(line.split())
        for word in words:
            if word == "--variant":
                self.variant = next(words)
            elif word == "--exclude":
                self.exclude.append(next(words))
            elif word == "--recommends":
                self.recommends = True
            else:
                self.names.append(word)


class Apt:
    """apt in a directory of its own. `foreign` are architectures besides the native one."""

    def __init__(self, directory, architecture, sources, foreign=()):
        self.directory, self.architecture, self.foreign = directory, architecture, foreign
        architectures = " ".join(f'"{name}";' for name in (architecture, *foreign))
        for part in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d",
                     "state/lists/partial", "cache/archives/partial", "files"):
            (directory / part).mkdir(parents=True)
        (directory / "status").touch()
        (directory / "etc/apt/sources.list").write_text(sources)
        (directory / "apt.conf").write_text(
            f'Acquire::Check-Valid-Until "false"; Dir "{directory}"; Dir::Etc "{directory}/etc/apt";'
            f'Dir::State "{directory}/state"; Dir::State::status "{directory}/status"; Dir::Cache "{directory}/cache";'
            f'APT::Architecture "{architecture}"; APT::Architectures {{ {architectures} }};'
            f'Acquire::Languages "none"; APT::Sandbox::User "root"; Dir::Log "{directory}";')
        self.environment = {**os.environ, "APT_CONFIG": str(directory / "apt.conf"), "LC_ALL": "C.UTF-8"}
        self.run("apt-get", "-qq", "update")
        self.tool_arguments = []
        self.packages_files = self.unpack_lists()

    def run(self, *words, check=True):
        return subprocess.run(words, env=self.environment, check=check, capture_output=True, text=True)

    def unpack_lists(self):
        files = []
        rows = self.run("apt-get", "indextargets", "--format", "$(FILENAME) $(CODENAME)", "Created-By: Packages").stdout
        for number, (name, codename) in enumerate(row.split() for row in rows.splitlines()):
            files.append(self.directory / "files" / f"{number}-{pathlib.Path(name).name}")
            self.tool_arguments.append(f"{files[-1]}:{100 if 'backports' in codename else 500}:{codename}")
            with open(files[-1], "wb") as out:
                subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", name], env=self.environment, stdout=out, check=True)
        return files

    def stanzas(self):
        for file in self.packages_files:
            for stanza in file.read_text().split("\n\n"):
                fields = dict(re.findall(r"^(Package|Priority|Essential|Architecture|Multi-Arch): (.*)$", stanza, re.M))
                if fields:
                    yield fields

    def base(self, variant):
        marked, all_names = set(), set()
        for fields in self.native_fields():
            all_names.add(fields["Package"])
            priority = fields.get("Priority")
            if fields.get("Essential") == "yes" or (variant != "essential" and priority == "required") or (
                    variant == "standard" and priority == "important"):
                marked.add(fields["Package"])
        names = sorted(marked)
        if variant != "essential":
            names.append("apt")
        if variant == "buildd":
            names.append("build-essential")
        if "usr-is-merged" in all_names:
            names.append("usr-is-merged")
        return names

    def native_fields(self):
        return (fields for fields in self.fields if fields["Architecture"] in ("all", self.architecture))

    def prepare(self):
        self.fields = list(self.stanzas())
        self.bases = {variant: self.base(variant) for variant in VARIANTS}
        self.names = sorted({fields["Package"] for fields in self.native_fields()})

    def holds_together(self, chosen):
        """Whether apt installs exactly these, given as "name=version", when it is asked for every one of them."""
        result = self.run("apt-get", "-qq", "-s", "-o", "APT::Install-Recommends=false", "install", *sorted(chosen), check=False)
        return set("=".join(pair) for pair in re.findall(r"^Inst (\S+) \((\S+)", result.stdout, re.M)) == chosen

    def choose(self, request):
        """apt's set as a set of "name=version", or None where apt refuses; and what it said."""
        pins = "".join(f"Package: {name}\nPin: version *\nPin-Priority: -1\n\n" for name in request.exclude)
        preferences = self.directory / f"preferences-{zlib.crc32(request.line.encode())}"
        preferences.write_text(pins)
        base = [name for name in self.bases[request.variant] if name not in request.exclude]
        result = self.run("apt-get", "-qq", "-s", "-o", f"APT::Install-Recommends={str(request.recommends).lower()}",
                          "-o", f"Dir::Etc::preferences={preferences}", "install", *base, *request.names, check=False)
        if result.returncode != 0:
            return None, result.stderr
        return set("=".join(pair) for pair in re.findall(r"^Inst (\S+) \((\S+)", result.stdout, re.M)), ""


def mirrors():
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE) $(CODENAME)", "Created-By: Packages"],
                           capture_output=True, text=True, check=True).stdout.split("\n")
    uris = [line.split()[0].rstrip("/") for line in lines if line.strip()]
    main = [uri for uri in uris if "security" not in uri]
    security = [uri for uri in uris if "security" in uri]
    return (main[0] if main else None), (security[0] if security else None)


def native_architecture():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def sources(uri, security, suite, full, backports=False):
    options = f"[signed-by={KEYRING}]"
    lines = [f"deb {options} {uri} {suite} main"]
    if backports:
        lines.append(f"deb {options} {uri} {suite}-backports main")
    if full:
        lines.append(f"deb {options} {uri} {suite}-updates main")
        if security:
            lines.append(f"deb {options} {security} {suite}-security main")
    return "\n".join(lines) + "\n"


def ours(tool, apt, requests):
    result = subprocess.run([tool, "--arch", ",".join((apt.architecture, *apt.foreign)), *apt.tool_arguments], capture_output=True,
                            text=True, check=True, input="".join(request.line + "\n" for request in requests))
    answers = result.stdout.split("\n\n")[:-1] if not result.stdout.startswith("\n") else result.stdout[1:].split("\n\n")[:-1]
    assert len(answers) == len(requests), result.stderr
    return [answer.split("\n") for answer in answers]


def difference(request, answer, theirs, said):
    """What differs, as text; None if nothing does."""
    if answer[0].startswith("!"):
        return None if theirs is None else f"we refuse ({answer[0][2:]}), apt does not"
    if answer[0].startswith("~"):
        return None if theirs is None else f"we look for another solution ({answer[0][2:]}), apt finds one itself"
    if theirs is None:
        return f"apt refuses, we do not: {said.strip()[-300:]}"
    chosen = {line.removesuffix(" auto") for line in answer}
    if chosen == theirs:
        return None
    return f"only ours: {' '.join(sorted(chosen - theirs))}; only apt's: {' '.join(sorted(theirs - chosen))}"


def random_requests(apt, count, seed):
    chooser = random.Random(seed)
    requests = []
    for _ in range(count):
        options = chooser.choice(("", "", "", "--variant standard ", "--variant buildd ", "--recommends "))
        requests.append(options + " ".join(chooser.sample(apt.names, chooser.randint(1, 6))))
    return requests


def compare(title, tool, apt, lines):
    requests = [Request(line) for line in lines]
    failures, refused, solved = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        choices = pool.map(apt.choose, requests)
    for request, answer, (theirs, said) in zip(requests, ours(tool, apt, requests), choices):
        refused += theirs is None
        found = difference(request, answer, theirs, said)
        if answer[0].startswith("~") and found is None:
            solved += 1
            if not apt.holds_together({line.removesuffix(" auto") for line in answer[1:]}):
                found = "our solution does not hold together"
        elif found is None and theirs is not None:
            manual = {line.split("=")[0] for line in answer if not line.endswith(" auto")}
            names = [re.split("[=/]", name)[0] for name in request.names]
            wanted = set(apt.bases[request.variant] + names) - set(request.exclude)
            if not manual <= wanted and all(name in apt.names for name in names):
                found = f"marked as installed by hand: {' '.join(sorted(manual - wanted))}"
        if found is not None:
            failures += 1
            print(f"FAILED {title}: {request.line}\n       {found}", flush=True)
    print(f"{title}: {len(requests)} requests, {refused} of them refused by apt, {solved} of these solved, {failures} differ", flush=True)
    return failures


def compare_with_oracle(oracle, tool, apt, uri, suite):
    request = Request("--variant standard")
    theirs = set(subprocess.run([oracle, "--arch", apt.architecture, "--variant", request.variant, suite, uri],
                                capture_output=True, text=True, check=True).stdout.split())
    found = difference(request, ours(tool, apt, [request])[0], theirs, "")
    print(f"apt-set {suite} {request.variant}: {found or 'no difference'}", flush=True)
    return 0 if found is None else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--random", type=int, default=10)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--suite", action="append")
    parser.add_argument("--only-random", action="store_true")
    arguments = parser.parse_args()
    try:
        architecture = native_architecture()
        uri, security = mirrors()
    except (FileNotFoundError, subprocess.CalledProcessError) as problem:
        print(f"skipped: {problem}")
        return 77
    if uri is None:
        print("skipped: apt's sources name no mirror")
        return 77
    oracle = pathlib.Path(__file__).resolve().parents[3] / "shared/oracles/apt-set"
    failures = 0
    with tempfile.TemporaryDirectory(prefix="vprov-oracle-") as work:
        for suite in arguments.suite or ("bookworm", "trixie"):
            for full in (False, True):
                apt = Apt(pathlib.Path(work) / f"{suite}-{full}", architecture, sources(uri, security, suite, full))
                apt.prepare()
                title = f"{suite} with updates and security" if full else suite
                lines = []
                if not arguments.only_random:
                    lines = [DEBIAN1] if full else [f"--variant {v}" for v in VARIANTS] + list(LARGE.get(suite, ()))
                lines += random_requests(apt, arguments.random // 4 + (0 if full else arguments.random % 4),
                                         arguments.seed + title)
                failures += compare(title, arguments.tool, apt, lines)
                if not full and oracle.exists() and not arguments.only_random:
                    failures += compare_with_oracle(oracle, arguments.tool, apt, uri, suite)
        if not arguments.only_random:
            apt = Apt(pathlib.Path(work) / "backports", architecture, sources(uri, security, "bookworm", False, True))
            apt.prepare()
            failures += compare("bookworm with backports", arguments.tool, apt, FORMS)
    return 1 if failures else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
