#!/usr/bin/env python3
"""units_test.py PROGRAM UNIT...: systemd finds nothing wrong with the units, with this program in them."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

if not shutil.which("systemd-analyze"):
    print("skipped: systemd is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="vprov-units-") as folder:
    for unit in map(pathlib.Path, sys.argv[2:]):
        copy = pathlib.Path(folder) / unit.name.removesuffix(".in").replace("@.", "@web1.")
        copy.write_text(unit.read_text().replace("@VPROV@", sys.argv[1]))
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
        said = [line for line in checked.stderr.splitlines() if "vprov" in line]
        if checked.returncode != 0 or said:
            sys.exit(f"{unit}: {checked.stderr or checked.returncode}")
