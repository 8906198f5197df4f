"""Debian packages whose programs tests run: unpacked into the cache, not installed. No service of theirs starts.

Prometheus and its promtool need nothing but the C library, and the package would start a server; fail2ban is Python, and
would begin to ban. Where the machine has Prometheus already, that is taken. Called by ``tools/setup.py`` under its lock;
``program`` and ``folder`` by whoever runs one.
"""

import os
import shutil
from pathlib import Path

from lab.home import cache_folder
from tools.progress import SetupError, run

PROMETHEUS = ("prometheus", "promtool")
PACKAGES = {"prometheus": "its promtool tests the alerts", "fail2ban": "it tests the filter for attackers"}
"""What can be brought, and what for."""


def program(name: str) -> Path | None:
    """Where a program of Prometheus is: the machine's own, or the cache's."""
    own = shutil.which(name)
    found = Path(own) if own else folder("prometheus") / "usr/bin" / name
    return found if found.exists() else None


def folder(package: str) -> Path:
    """Where a package is unpacked, if it was brought: it is moved there when it is whole."""
    return cache_folder() / package


def have(package: str) -> bool:
    if package == "prometheus":
        return all(program(name) is not None for name in PROMETHEUS)
    return folder(package).exists()


def bring(package: str, log: Path) -> None:
    """Download Debian's package with the machine's own apt, and move what is in it into place when it is whole."""
    if shutil.which("apt-get") is None:
        raise SetupError(f"this is no Debian: install {package} by hand")
    work = cache_folder() / f"unpacking-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work.chmod(0o755)
    try:
        _download(package, work, log)
        (found,) = work.glob(f"{package}_*.deb")
        run(f"unpacking {package}", ["dpkg-deb", "-x", str(found), str(work / "root")], log=log)
        shutil.rmtree(folder(package), ignore_errors=True)
        (work / "root").rename(folder(package))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(package: str, work: Path, log: Path) -> None:
    """The lists of packages may not be there yet, or be old: then they are read, and it is tried once more."""
    command = ["sh", "-c", 'cd "$0" && apt-get download "$1"', str(work), package]
    title = f"downloading the package {package} ({PACKAGES[package]}; it is not installed)"
    try:
        run(title, command, log=log)
    except SetupError:
        run("reading the package lists", ["apt-get", "update"], log=log)
        run(title, command, log=log)
