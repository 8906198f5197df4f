"""Debian's fail2ban, unpacked by tools/setup and never installed: what its filter makes of a log."""

import os
import subprocess
import sys
from pathlib import Path

from tools import unpacked


def attackers(log: Path, rules: Path) -> list[str]:
    """The addresses that ``fail2ban-regex`` would ban for, one for each line that it takes for an attack."""
    home = unpacked.folder("fail2ban")
    if not unpacked.have("fail2ban"):
        raise AssertionError("fail2ban is not there: sh tools/setup.sh fail2ban brings it")
    command = [str(home / "usr/bin/fail2ban-regex"), "-c", str(home / "etc/fail2ban"), "-o", "ip"]
    done = subprocess.run(
        [sys.executable, *command, str(log), str(rules)],
        env=os.environ | {"PYTHONPATH": str(home / "usr/lib/python3/dist-packages"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode not in {0, 255} or "Traceback" in done.stderr or "ERROR" in done.stderr:
        raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout.split()
