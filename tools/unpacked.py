"""Programs of Debian packages, unpacked into the cache and not installed: no service of theirs starts, nothing is changed.

Prometheus and its promtool come this way: they need nothing but the C library, and the package would start a server. Where the
machine has both already, those are taken. Called by ``tools/setup.py`` under its lock; ``program`` by whoever runs one.
"""

import os
import shutil
from pathlib import Path

from lab.home import cache_folder
from tools.progress import SetupError, run

PROMETHEUS = ("prometheus", "promtool")


def program(name: str) -> Path | None:
    """Where the program is: the machine's own, or the cache's."""
    own = shutil.which(name)
    found = Path(own) if own else _folder() / "usr/bin" / name
    return found if found.exists() else None


def have_prometheus() -> bool:
    return all(program(name) is not None for name in PROMETHEUS)


def bring_prometheus(log: Path) -> None:
    """Download Debian's package with the machine's own apt, and move what is in it into place when it is whole."""
    if shutil.which("apt-get") is None:
        raise SetupError("this is no Debian: install prometheus and promtool by hand")
    work = cache_folder() / f"unpacking-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work.chmod(0o755)
    try:
        _download(work, log)
        (package,) = work.glob("prometheus_*.deb")
        run("unpacking prometheus", ["dpkg-deb", "-x", str(package), str(work / "root")], log=log)
        shutil.rmtree(_folder(), ignore_errors=True)
        (work / "root").rename(_folder())
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(work: Path, log: Path) -> None:
    """The lists of packages may not be there yet, or be old: then they are read, and it is tried once more."""
    command = ["sh", "-c", 'cd "$0" && apt-get download prometheus', str(work)]
    title = "downloading the package prometheus (its promtool tests the alerts; it is not installed)"
    try:
        run(title, command, log=log)
    except SetupError:
        run("reading the package lists", ["apt-get", "update"], log=log)
        run(title, command, log=log)


def _folder() -> Path:
    return cache_folder() / "prometheus"
