"""Debian's fail2ban for the tests of our filter: unpacked into the cache, never installed, so nothing of it ever runs by itself.

Called by ``tools/setup.py`` under its lock, and by ``tests.support.fail2ban``.
"""

import shutil
import subprocess
from pathlib import Path

from lab.home import cache_folder
from tools.progress import SetupError, run

PACKAGE = "fail2ban"


def unpacked() -> Path | None:
    """Where it is, if it was brought."""
    found = cache_folder() / PACKAGE
    return found if (found / "complete").exists() else None


def bring(log: Path) -> None:
    """Fetch the package from the archive that this machine uses, and unpack it."""
    target, work = cache_folder() / PACKAGE, cache_folder() / f"{PACKAGE}-building"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        fetch = [
            "sh",
            "-c",
            f"cd '{work}' && (apt-get download {PACKAGE} || (apt-get update && apt-get download {PACKAGE}))",
        ]
        run("fetching fail2ban, for the test of its filter", fetch, log=log)
        package = next(work.glob("*.deb"), None)
        if package is None:
            raise SetupError("the Debian archive gave no fail2ban")
        subprocess.run(["dpkg-deb", "-x", str(package), str(work / "root")], check=True)
        (work / "root" / "complete").touch()
        shutil.rmtree(target, ignore_errors=True)
        (work / "root").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
