"""Two ways to the same thing, run in turn: A B A B ... What the machine does besides then hits both alike, and the
ratio of each pair says more than the seconds."""

import argparse
import dataclasses
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Way:
    name: str
    steps: list[list[str]]        # commands, run one after the other and timed together
    leaves: list[pathlib.Path]    # removed before each run, caches among them


@dataclasses.dataclass
class Run:
    seconds: float
    peak: int  # bytes: the most that any one process of it held in memory


def measure(way):
    for path in way.leaves:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    os.sync()  # writing out what the other way left shall not be this one's burden
    began, peak = time.monotonic(), 0
    for step in way.steps:
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(step, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            peak = max(peak, usage.ru_maxrss * 1024)
            if child.returncode != 0:
                said.seek(0)
                sys.stderr.buffer.write(said.read()[-4000:])
                sys.exit(f"{way.name}: exit status {child.returncode} from {' '.join(step)[:200]}")
    return Run(time.monotonic() - began, peak)


def describe(way, runs):
    seconds = [run.seconds for run in runs]
    return (f"  {way.name:<32} {statistics.median(seconds):7.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})"
            f"  peak {max(run.peak for run in runs) / 1e6:4.0f} MB")


def compare(ours, peers, wanted, pairs):
    """All ways in turn, `pairs` times; then the ratio of each of ours to each of the peers that is wanted, which names
    (one of ours, a peer)."""
    runs = {way.name: [] for way in [*ours, *peers]}
    for number in range(1, pairs + 1):
        for way in [*ours, *peers]:
            runs[way.name].append(measure(way))
        print(f"  {number}: " + ", ".join(f"{name} {of[-1].seconds:.2f} s" for name, of in runs.items()), flush=True)
    for way in [*ours, *peers]:
        print(describe(way, runs[way.name]))
    for mine, peer in wanted:
        ratios = [a.seconds / b.seconds for a, b in zip(runs[mine], runs[peer])]
        print(f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}): {mine} to {peer}, "
              f"median of {pairs}", flush=True)
    return {name: statistics.median(run.seconds for run in of) for name, of in runs.items()}


def mirror_of_host():
    """The first archive of the host's apt sources that has Debian's main component for a release of Debian."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)",
                              "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in targets.splitlines():
        uri, *rest = line.split()
        if rest == ["Debian", "Debian", "main"]:
            return uri.rstrip("/")
    raise SystemExit("cannot measure: the host's apt sources have no mirror of Debian")


def merged_usr_tree(tree, suite, sources, packages):
    """mmdebstrap's command for a set of packages. With the hook it takes usr-is-merged, as vprov does; without it, it
    would install usrmerge and perl."""
    return ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
            "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
            *([f"--include={','.join(packages)}"] if packages else []), suite, str(tree), *sources]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("-n", type=int, default=3, metavar="PAIRS", help="how often each runs (%(default)s)")
    parser.add_argument("--vprov", type=pathlib.Path, default=PROJECT / "build/release/src/vprov", metavar="PROGRAM")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/var/tmp"), metavar="DIR",
                        help="where a work directory is made, and removed (%(default)s)")
    return parser


def check(options):
    if os.geteuid() != 0:
        sys.exit("cannot measure: packages' scripts need root; run this with sudo")
    for program in (str(options.vprov), "mmdebstrap", "mke2fs"):
        if not shutil.which(program):
            sys.exit(f"cannot measure: there is no {program}")
